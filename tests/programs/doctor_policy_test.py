#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The doctor asks for what the host's policies lock, where they select the program."""

import os
import pathlib
import subprocess
import unittest

import harness
from pagewarden import PAGEWARDEN

RUNTIME = pathlib.Path("/run/pagewarden")  # of the mount namespace
SLEEP = os.path.realpath("/bin/sleep")
POLICY = f"""apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: sleepers}}
spec:
  selector:
    matchBinaries: [{SLEEP}]
    matchCgroups: ['CGROUP']
  arenas:
    - {{name: default, capacity: 4Mi}}
  rules:
    - match: {{all: true}}
"""


@harness.needs_root
class DoctorPolicyTest(unittest.TestCase):
    def setUp(self):
        self.setup = self.enterContext(harness.SetUp("doctor-policy"))
        self.policies = RUNTIME / "policy.d"
        self.policies.mkdir(parents=True, exist_ok=True)
        self.write(POLICY.replace("CGROUP", self.setup.cgroup.path))

    def write(self, text):
        (self.policies / "sleep.yaml").write_text(text, encoding="ascii")

    def doctor(self, *options):
        return subprocess.run([str(PAGEWARDEN), "doctor", *map(str, options)],
                              capture_output=True, text=True, check=False)

    def sleep(self, **options):
        process = subprocess.Popen([SLEEP, "1000"], **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process.pid

    def test_a_policy_of_the_host_says_how_much(self):
        selected = self.doctor("--pid", self.sleep(preexec_fn=self.setup.cgroup.enter))
        self.assertIn("to lock 4194304 bytes (4096 KiB) by policy sleepers", selected.stdout)
        elsewhere = self.doctor("--pid", self.sleep())
        self.assertIn("to lock 1048576 bytes (1024 KiB) by policy default-presets",
                      elsewhere.stdout)
        self.write(POLICY.replace("    matchCgroups: ['CGROUP']\n", ""))
        self.assertIn("to lock 4194304 bytes (4096 KiB) by policy sleepers",
                      self.doctor("--", "sleep", 1).stdout)

    def test_a_broken_policy_of_the_host_is_named(self):
        self.write("kind: [\n")
        done = self.doctor("--", "sleep", 1)
        self.assertEqual(done.returncode, 3)
        self.assertIn("sleep.yaml:", done.stderr)
        self.assertEqual(self.doctor("--need", "4Ki", "--", "sleep", 1).returncode, 0)


if __name__ == "__main__":
    harness.main_with_own_run()
