#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/lib/summary.py counts cases as the test programs print them."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lib"))

import summary  # noqa: E402

GTEST = """\
[ RUN      ] A.Good
[       OK ] A.Good (0 ms)
[ RUN      ] A.Bad
a_test.cc:3: Failure
[  FAILED  ] A.Bad (12 ms)
[ RUN      ] I/P.X/0
[  FAILED  ] I/P.X/0, where GetParam() = 1 (0 ms)
[ RUN      ] A.Away
../a_test.cc:7: Skipped
no KVM

[  SKIPPED ] A.Away (0 ms)
[  FAILED  ] 2 tests, listed below:
[  FAILED  ] A.Bad
"""

UNITTEST = """\
test_good (__main__.T.test_good) ... ok
test_said (__main__.T.test_said)
What it is about. ... noise
ok
test_bad (__main__.T.test_bad) ...
  test_bad (__main__.T.test_bad) (key='RSA') ... FAIL
  test_bad (__main__.T.test_bad) (key='EC') ... FAIL
test_away (__main__.T.test_away) ... skipped 'not root'

Ran 4 tests in 0.1s
"""


def count(result, stdout="", stderr=""):
    counts = summary.count_program(
        {"name": "t", "result": result, "stdout": stdout, "stderr": stderr})
    return counts.passed, counts.failed, counts.skipped


class SummaryTest(unittest.TestCase):

    def test_counts_the_cases_of_googletest(self):
        self.assertEqual(count("FAIL", stdout=GTEST), (1, 2, ["t A.Away: no KVM"]))

    def test_counts_the_cases_of_unittest(self):
        self.assertEqual(count("FAIL", stderr=UNITTEST), (2, 1, ["t test_away: not root"]))

    def test_counts_other_programs_as_one(self):
        self.assertEqual(count("OK"), (1, 0, []))
        self.assertEqual(count("FAIL"), (0, 1, []))
        self.assertEqual(count("TIMEOUT"), (0, 1, []))
        self.assertEqual(count("SKIP", stdout="needs KVM\n"), (0, 0, ["t: needs KVM"]))

    def test_counts_a_crash_between_cases_as_a_failure(self):
        self.assertEqual(count("FAIL", stdout="[       OK ] A.Good (0 ms)\n"), (1, 1, []))


if __name__ == "__main__":
    unittest.main(verbosity=2)
