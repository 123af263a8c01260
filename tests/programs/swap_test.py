#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No byte of a fenced key reaches swap; the plain run shows that it would."""

import unittest

import harness
import swap


@harness.needs_root
class SwapTest(unittest.TestCase):

    def run_experiment(self, fenced):
        outcome = swap.experiment(fenced)
        for kind, copies in outcome.in_memory.items():
            self.assertGreater(copies, 0, f"no copy of the {kind} key in memory: nothing to lose")
        for kind, copies in outcome.in_swap_before.items():
            self.assertEqual(copies, 0, f"{kind} key in swap before the squeeze")
        for pid, swapped in outcome.swapped_bytes.items():
            self.assertGreater(swapped, 0, f"the squeeze pushed nothing of {pid} out")
        self.assertTrue(outcome.answers, "nginx does not answer after the squeeze")
        return outcome.in_swap

    def test_plain_leaks(self):
        """The positive control: without the fence both keys are in the swap file."""
        for kind, copies in self.run_experiment(fenced=False).items():
            self.assertGreater(copies, 0, f"{kind} key")

    def test_fenced_does_not(self):
        for kind, copies in self.run_experiment(fenced=True).items():
            self.assertEqual(copies, 0, f"{kind} key")


if __name__ == "__main__":
    harness.main()
