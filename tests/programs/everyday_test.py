#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Everyday programs do their everyday work under the shim, with the same output
as without it, and the ones that load a key have it moved."""

import pathlib
import subprocess
import tempfile
import unittest

import harness

POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: everyday}
spec:
  rules:
    - match: {preset: openssl-private-keys}
"""

LOAD_KEY = """\
import os, ssl, subprocess, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
threads = [threading.Thread(target=lambda: bytearray(100000)) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print(subprocess.run(["echo", "child"], capture_output=True, text=True).stdout, end="")
"""


class EverydayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="pagewarden-everyday-")
        cls.directory = pathlib.Path(cls.scratch.name)
        cls.policy = cls.directory / "policy.yaml"
        cls.policy.write_text(POLICY, encoding="utf-8")
        cls.policy.chmod(0o644)
        harness.run_checked(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                             "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out",
                             "cert.pem"], cwd=cls.directory)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def run_in_scratch(self, command):
        return subprocess.run([str(word) for word in command], cwd=self.directory, timeout=60,
                              capture_output=True, text=True, check=False)

    def assert_same(self, *command):
        plain = self.run_in_scratch(command)
        fenced = self.run_in_scratch([harness.PAGEWARDEN, "run", "--policy", self.policy, "--",
                                      *command])
        self.assertEqual(plain.returncode, 0, plain.stderr)
        self.assertEqual((fenced.returncode, fenced.stdout, fenced.stderr),
                         (0, plain.stdout, plain.stderr))

    def test_bash(self):
        self.assert_same("bash", "-c", "x=$(seq 1 2000 | (cat; echo end) | wc -l); echo $x; "
                         "for i in 1 2 3; do (echo $i) & done | sort; wait")

    def test_python3(self):
        self.assert_same("/usr/bin/python3", "-c", LOAD_KEY)

    def test_openssl(self):
        self.assert_same("openssl", "rsa", "-in", "key.pem", "-check", "-noout")
        self.assert_same("openssl", "rsa", "-in", "key.pem", "-traditional")

    def test_git(self):
        self.assert_same("git", "-c", "init.defaultBranch=main", "init", "--quiet", "repository")
        self.assert_same("git", "-C", harness.ROOT, "log", "--oneline", "-20", "--stat")

    def test_curl(self):
        self.assert_same("curl", "--silent", "--cert", "cert.pem", "--key", "key.pem",
                         f"file://{self.policy}")


if __name__ == "__main__":
    unittest.main()
