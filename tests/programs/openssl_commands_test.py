#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What openssl's commands that check, convert and make keys leave behind in their memory when
they exit: nothing under the shipped policy."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness
import pagewarden
from credentials import make_key

POLICY = harness.BUILD / "policies" / "openssl.yaml"
SECONDS = 60

# In gdb, with the program about to exit.
SEARCH = """python
import gdb, subprocess
subprocess.run([{pagewarden!r}, "verify", "--json", "--pid", str(gdb.selected_inferior().pid),
                "--secret", {key!r}], stdout=open({report!r}, "w"))
"""
EXIT = ["-ex", "set startup-with-shell off", "-ex", "catch syscall exit_group", "-ex", "run"]


@unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
class OpensslCommandsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="pagewarden-openssl-")
        cls.addClassCleanup(scratch.cleanup)
        cls.directory = pathlib.Path(scratch.name)
        for kind in ("RSA", "EC"):
            make_key(cls.directory, kind)

    def copies_at_exit(self, command, key):
        """What `verify` finds of a key in the program that `command` becomes, as it exits."""
        report = self.directory / "report.json"
        script = self.directory / "search.gdb"
        script.write_text(SEARCH.format(pagewarden=str(pagewarden.PAGEWARDEN),
                                        key=str(self.directory / key), report=str(report)),
                          encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        gdb = ["gdb", "--batch", "-nx", *EXIT, "-x", str(script), "--args", *map(str, command)]
        subprocess.run(gdb, cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=SECONDS, check=True)
        return json.loads(report.read_text(encoding="utf-8"))["copies"]

    def assert_clean(self, key, *arguments):
        """Plain, a command leaves copies; fenced, none."""
        command = ["/usr/bin/openssl", *arguments]
        self.assertNotEqual(self.copies_at_exit(command, key), [], "nothing to fence")
        fenced = pagewarden.run_command(POLICY, command)
        self.assertEqual([copy for copy in self.copies_at_exit(fenced, key)
                          if not copy["fenced"]], [])

    def test_check(self):
        self.assert_clean("rsa.key", "rsa", "-in", "rsa.key", "-check", "-noout")

    def test_pem_to_pem(self):
        self.assert_clean("ec.key", "pkey", "-in", "ec.key", "-out", "copy")

    def test_der_to_der(self):
        harness.run_checked(["openssl", "pkey", "-in", self.directory / "rsa.key", "-outform",
                             "DER", "-out", self.directory / "rsa.der"])
        self.assert_clean("rsa.key", "pkey", "-in", "rsa.der", "-inform", "DER", "-outform",
                          "DER", "-out", "copy")

    def test_decrypt(self):
        harness.run_checked(["openssl", "pkcs8", "-topk8", "-in", self.directory / "rsa.key",
                             "-passout", "pass:word", "-out", self.directory / "rsa.enc"])
        self.assert_clean("rsa.key", "pkey", "-in", "rsa.enc", "-passin", "pass:word", "-out",
                          "copy")

    def test_generate(self):
        self.assert_clean("new.key", "genrsa", "-out", "new.key", "2048")


if __name__ == "__main__":
    harness.main()
