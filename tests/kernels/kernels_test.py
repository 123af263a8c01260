#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The suites of suites.json pass in the guests, and the hooks taken are the best.

    kernels_test.py 6.1 …      these kernels; without any: all

A case a suite and kernel, which prints what the guest said when it fails.
"""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))

import kernel_matrix  # noqa: E402
from kernels import catalog, suites, table, verdicts  # noqa: E402

FILES, KNOWN = suites.load()
SUITES = suites.chosen(KNOWN)
RUNS = {}


def setUpModule():
    for run in kernel_matrix.boot_all(SUITES, FILES, list(KERNELS)):
        RUNS[run.kernel.name] = run
    print(table.markdown(SUITES, list(RUNS.values())), flush=True)
    for line in table.details(SUITES, list(RUNS.values())):
        print(line, flush=True)


def case(kernel, suite):
    def test(self):
        cell = verdicts.cell(suite, RUNS[kernel.name].boot, kernel.name)
        self.assertTrue(cell.good, "\n".join((cell.text, *cell.details)))
    return test


class KernelsTest(unittest.TestCase):
    """Its cases are made below."""


def add_cases(kernels):
    for kernel in kernels:
        for suite in SUITES:
            name = f"test_{kernel.name}_{suite.name}".replace(".", "_").replace("-", "_")
            setattr(KernelsTest, name, case(kernel, suite))


if __name__ == "__main__":
    KERNELS = [catalog.ALL[name] for name in sys.argv[1:] or catalog.ALL]
    add_cases(KERNELS)
    unittest.main(argv=sys.argv[:1], verbosity=2)
