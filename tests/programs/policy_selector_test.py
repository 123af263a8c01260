#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Selectors, exceptions and budgets on real processes in a cgroup that is named as a unit."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import harness
import learning
import pagewarden

SLEEP = os.path.realpath("/usr/bin/sleep")
ARENA = 64 << 10

POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: unit}}
spec:
  selector: {{matchUnits: [{unit}]}}
  exceptions: {exceptions}
  rules: [{{match: {{all: true}}}}]
  arenas: [{{name: a, capacity: 64Ki}}]
---
apiVersion: pagewarden/v1alpha1
kind: MemlockBudget
metadata: {{name: units}}
spec:
  budgets:
    - {{name: unit, scope: Service, selector: {{matchUnits: ['pw-*']}}, limit: 100Ki}}
    - {{name: all, scope: Service, limit: 1Gi}}
"""


@harness.needs_root
class SelectorTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="pagewarden-selector-")
        self.addCleanup(scratch.cleanup)
        self.policy = pathlib.Path(scratch.name, "p.yaml")
        self.unit = f"pw-{os.getpid()}.service"
        self.cgroup = harness.Cgroup(self.unit)
        self.addCleanup(self.cgroup.remove)

    def write(self, exceptions="[]"):
        text = POLICY.format(unit=self.unit, exceptions=exceptions)
        self.policy.write_text(text.replace("  exceptions: []\n", ""), encoding="ascii")
        self.policy.chmod(0o644)

    def start(self, inside):
        """A fenced sleep in the unit's cgroup, or in ours; its pid."""
        process = subprocess.Popen(pagewarden.run_command(self.policy, [SLEEP, "60"]),
                                   stderr=subprocess.DEVNULL,
                                   preexec_fn=self.cgroup.enter if inside else None)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        harness.wait_until(lambda: os.readlink(f"/proc/{process.pid}/exe") == SLEEP
                           and harness.read_status(process.pid).get("State", "")[0] == "S",
                           "sleep sleeps")
        return process.pid

    def explain(self, *words):
        done = learning.run("policy", "explain", "--policy", self.policy, "--json", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_the_unit_decides(self):
        self.write()
        inside, outside = self.start(inside=True), self.start(inside=False)
        self.assertEqual(harness.locked_bytes(inside), ARENA)
        self.assertEqual(harness.locked_bytes(outside), 0)
        self.assertEqual(self.explain("--pid", inside)["policy"], "unit")
        report = self.explain("--pid", outside)
        self.assertEqual(report["policy"], "")
        self.assertIn("unit (priority 0): it", report["passedOver"][0])

    def test_an_exception_leaves_a_binary_out(self):
        self.write(f"[{{matchBinaries: [{SLEEP}], reason: r, expires: 2099-01-01}}]")
        pid = self.start(inside=True)
        self.assertEqual(harness.locked_bytes(pid), 0)
        self.assertIn("an exception until 2099-01-01: r", self.explain("--pid", pid)["passedOver"][0])

    def test_an_expired_exception_does_not(self):
        self.write(f"[{{matchBinaries: [{SLEEP}], reason: r, expires: 2001-01-01}}]")
        self.assertEqual(harness.locked_bytes(self.start(inside=True)), ARENA)

    def test_a_unit_is_explained_with_its_budgets(self):
        self.write()
        self.start(inside=True)
        self.start(inside=True)
        reports = self.explain("--unit", self.unit)["reports"]
        self.assertEqual([report["executable"] for report in reports], [SLEEP])
        state = reports[0]["budgets"]["limits"][0]
        self.assertEqual((state["scope"], state["subject"], state["level"]),
                         ("Service", self.cgroup.path, "over"))
        self.assertEqual([(s["budget"], s["usedBytes"], s["processes"]) for s in state["sources"]],
                         [("unit", 2 * ARENA, 2), ("all", 2 * ARENA, 2)])


if __name__ == "__main__":
    harness.main()
