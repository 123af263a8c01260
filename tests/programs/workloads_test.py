#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Everything tagged: real programs complete real work with every allocation in the fence.

    workloads_test.py fast|long [unittest's arguments]
"""

import re
import subprocess
import sys
import unittest

import harness
import workloads
from workloads import runner
from workloads.workload import Workload


class Preload(Workload):
    """Shows what the fence changes, as no workload may."""

    name = "preload"
    programs = ("/usr/bin/bash",)

    def run(self, session, inputs):
        return session.run(["/usr/bin/bash", "-c", "sleep 0.5; echo \"$LD_PRELOAD\""])


class Unfenced(Workload):
    """Its main program runs without the shim."""

    name = "unfenced"
    programs = ("/usr/bin/sleep",)

    def run(self, session, inputs):
        return session.run(["env", "-u", "LD_PRELOAD", "sleep", "0.5"])


class Hanging(Workload):
    name = "hanging"
    programs = ("/usr/bin/sleep",)
    timeout = 0.5
    duration = "87654"

    def run(self, session, inputs):
        return session.run(["sh", "-c", f"sleep {self.duration} & sleep {self.duration}"])


@harness.needs_root
class RunnerTest(unittest.TestCase):
    """A workload that goes wrong is noticed."""

    def test_difference(self):
        self.assertEqual(runner.compare(Preload()).problems(),
                         ["plain and fenced results differ"])

    def test_not_fenced(self):
        self.assertEqual(runner.compare(Unfenced()).problems(),
                         ["no look found /usr/bin/sleep with anything in the fence"])

    def test_hanging(self):
        with self.assertRaisesRegex(harness.HarnessError, "still running after"):
            runner.compare(Hanging())
        found = subprocess.run(["pgrep", "-f", f"^sleep {Hanging.duration}"], check=False,
                               capture_output=True)
        self.assertEqual(found.stdout, b"")


def make_test(workload):
    def test(self):
        missing = workload.missing()
        if missing:
            self.skipTest(f"not on this machine: {', '.join(missing)}")
        result = runner.compare(workload)
        self.assertEqual(result.problems(), [])
    return test


@harness.needs_root
class WorkloadsTest(unittest.TestCase):
    pass


def add_tests(fast):
    for workload in workloads.ALL:
        if workload.fast == fast:
            words = re.findall(r"\w+", f"{workload.name} {workload.work}")
            setattr(WorkloadsTest, "test_" + "_".join(words), make_test(workload))


if __name__ == "__main__":
    if sys.argv[1:2] not in (["fast"], ["long"]):
        sys.exit("usage: workloads_test.py fast|long")
    add_tests(sys.argv.pop(1) == "fast")
    harness.main()
