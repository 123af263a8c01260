# SPDX-License-Identifier: Apache-2.0
"""A running process, and the live image that it follows. For tests of what it takes up."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

PAGEWARDEN = PROGRAM = ""
SECONDS = 30  # a machine under load; what is waited for takes milliseconds


def main():
    """The programs come before what unittest understands."""
    global PAGEWARDEN, PROGRAM
    PAGEWARDEN, PROGRAM = map(os.path.abspath, sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main(module="__main__")


def policy(rules, mode="Enforce", extra=""):
    """`rules`: (name, what stands in its match, perhaps its arena) each."""
    text = ("apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: live}\n"
            f"spec:\n  mode: {mode}\n  selector: {{matchBinaries: [{PROGRAM}]}}\n{extra}")
    text += "  rules:\n"
    for name, match, *arena in rules:
        text += f"    - name: {name}\n      match: {{{match}}}\n"
        text += "".join(f"      place: {{arena: {word}}}\n" for word in arena)
    return text


class LiveCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pagewarden-live-"))
        self.process = None
        self.environment = {}

    def tearDown(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()
        subprocess.run(["rm", "-r", str(self.folder)], check=True)

    def publish(self, text):
        source = self.folder / "policy.yaml"
        source.write_text(text, encoding="utf-8")
        done = subprocess.run([PAGEWARDEN, "policy", "compile", source, "-o",
                               self.folder / "run", "--live"], capture_output=True, text=True,
                              check=True)
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    def start(self, *how, under=()):
        """`under`: a command that starts it with what comes behind."""
        self.process = subprocess.Popen(
            [*under, PROGRAM, "3", *map(str, how)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **self.environment})
        self.pid = int(self.process.stdout.readline().split()[1])

    def finish(self):
        self.process.stdin.close()
        self.assertEqual(self.process.wait(60), 0)

    def shim(self):
        report = json.loads(subprocess.run(
            [PAGEWARDEN, "audit", "--json", "--pid", str(self.pid)], capture_output=True, text=True, check=False).stdout)
        for cgroup in report["cgroups"]:
            for process in cgroup["processes"]:
                if process["pid"] == self.pid:
                    return process["shim"]
        self.fail("the audit does not show the process")

    def wait_for(self, what):
        end = time.monotonic() + SECONDS
        while True:
            shim = self.shim()
            if what(shim):
                return shim
            self.assertIsNone(self.process.poll(), "the process has ended")
            self.assertLess(time.monotonic(), end, shim)

    def rule(self, shim, name):
        return next((rule for rule in shim["rules"] if rule["name"] == name), None)

    def in_force(self, shim):
        return {rule["name"] for rule in shim["rules"] if rule.get("inForce", True)}
