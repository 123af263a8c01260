#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Everything tagged: real programs complete real work with every allocation in the fence.

    workloads_test.py fast|long [unittest's arguments]
"""

import re
import sys
import unittest

import harness
import workloads
from workloads import runner


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
            setattr(WorkloadsTest, "test_" + "_".join(words[:5]), make_test(workload))


if __name__ == "__main__":
    if sys.argv[1:2] not in (["fast"], ["long"]):
        sys.exit("usage: workloads_test.py fast|long")
    add_tests(sys.argv.pop(1) == "fast")
    harness.main()
