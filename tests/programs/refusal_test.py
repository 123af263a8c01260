#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`Fail` as real programs meet it: memory that cannot be had in the fence is not
had at all. They report it as they report any lack of memory.

Only from the first secret on: OpenSSL 3.0 itself does not survive every malloc that
fails half-way (docs/policy.md)."""

import pathlib
import subprocess
import tempfile
import unittest

import harness
import pagewarden

POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: strict}}
spec:
  rules:
    - match: {{preset: openssl-private-keys}}
  arenas:
    - {{name: keys, capacity: {kibibytes}Ki, onLockFailure: Fail, onCapacityExhausted: Fail}}
"""
NO_LOCKS = ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock", "prlimit", "--memlock=0"]
CHECK_KEY = ["openssl", "rsa", "-in", "key.pem", "-check", "-noout"]
LOAD_KEY = ["/usr/bin/python3", "-c", "import ssl; ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)"
            ".load_cert_chain('cert.pem', 'key.pem')"]
ENOUGH = 256


@harness.needs_root
class RefusalTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="pagewarden-refusal-")
        cls.addClassCleanup(scratch.cleanup)
        cls.directory = pathlib.Path(scratch.name)
        harness.run_checked(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                             "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out",
                             "cert.pem"], cwd=cls.directory)

    def run_strict(self, command, kibibytes=ENOUGH):
        policy = self.directory / "policy.yaml"
        policy.write_text(POLICY.format(kibibytes=kibibytes), encoding="ascii")
        return subprocess.run(pagewarden.run_command(policy, command), cwd=self.directory,
                              capture_output=True, text=True, timeout=20, check=False)

    def assert_refused(self, done, said):
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(said, done.stderr)

    def test_with_enough_they_work(self):
        for command in (CHECK_KEY, LOAD_KEY):
            done = self.run_strict(command)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_memory_can_be_locked(self):
        self.assert_refused(self.run_strict([*NO_LOCKS, *CHECK_KEY]), "malloc failure")
        self.assert_refused(self.run_strict([*NO_LOCKS, *LOAD_KEY]), "malloc failure")

    def test_full_arena(self):
        self.assert_refused(self.run_strict(CHECK_KEY, 4), "Could not open file")
        self.assert_refused(self.run_strict(LOAD_KEY, 4), "malloc failure")


if __name__ == "__main__":
    harness.main()
