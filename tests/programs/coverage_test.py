#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The shipped policies at work: no copy of a private key is outside of the fence, and what else
is left in unlocked memory is as its module explains.

    coverage_test.py fast|long [unittest's arguments]
"""

import re
import sys
import unittest

import coverage
import harness
from coverage import survey


def make_test(program):
    def test(self):
        missing = program.missing()
        if missing:
            self.skipTest(f"not on this machine: {', '.join(missing)}")
        for row in survey.survey(program):
            with self.subTest(secret=row.secret):
                self.assertEqual(row.problems(), [])
    return test


@harness.needs_root
class CoverageTest(unittest.TestCase):
    pass


def add_tests(fast):
    for program in coverage.ALL:
        if program.fast == fast:
            name = "_".join(re.findall(r"\w+", program.name))
            setattr(CoverageTest, f"test_{name}", make_test(program))


if __name__ == "__main__":
    if sys.argv[1:2] not in (["fast"], ["long"]):
        sys.exit("usage: coverage_test.py fast|long")
    add_tests(sys.argv.pop(1) == "fast")
    harness.main()
