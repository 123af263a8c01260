#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No byte of a fenced secret reaches swap; the plain run shows that it would."""

import unittest

import coverage
import harness
import swap

PROGRAMS = (coverage.Nginx, coverage.Apache2, coverage.Postgres, coverage.Redis)


@harness.needs_root
class SwapTest(unittest.TestCase):

    def run_experiment(self, program, fenced):
        if program.missing():
            self.skipTest(f"not on this machine: {', '.join(program.missing())}")
        outcome = swap.experiment(program, fenced)
        self.assertTrue(outcome.in_memory, "no secret is fenced in full: nothing to show")
        for kind, copies in outcome.in_memory.items():
            self.assertGreater(copies, 0, f"no copy of the {kind} in memory: nothing to lose")
        for kind, copies in outcome.in_swap_before.items():
            self.assertEqual(copies, 0, f"{kind} in swap before the squeeze")
        if not (fenced and program.pinned):
            for pid, swapped in outcome.swapped_bytes.items():
                self.assertGreater(swapped, 0, f"the squeeze pushed nothing of {pid} out")
        self.assertTrue(outcome.answers, f"{program.name} does not answer after the squeeze")
        return outcome.in_swap

    def assert_plain_leaks(self, program):
        """The positive control: without the fence each secret is in the swap file."""
        for kind, copies in self.run_experiment(program, fenced=False).items():
            self.assertGreater(copies, 0, kind)

    def assert_fenced_does_not(self, program):
        for kind, copies in self.run_experiment(program, fenced=True).items():
            self.assertEqual(copies, 0, kind)


def add_tests(program):
    setattr(SwapTest, f"test_plain_{program.name}_leaks",
            lambda self: self.assert_plain_leaks(program))
    setattr(SwapTest, f"test_fenced_{program.name}_does_not",
            lambda self: self.assert_fenced_does_not(program))


for _program in PROGRAMS:
    add_tests(_program)


if __name__ == "__main__":
    harness.main()
