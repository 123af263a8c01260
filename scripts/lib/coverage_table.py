#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The table of scripts/coverage, in Markdown, a program's rows as soon as they are known."""

import collections
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "programs"))

import coverage  # noqa: E402
import harness  # noqa: E402
from coverage import mallocs, survey, table  # noqa: E402


def examine(program):
    """Prints the rows of `program`; returns them with what is wrong with them."""
    missing = program.missing()
    if missing:
        return [], [f"{program.name}: not on this machine: {', '.join(missing)}"]
    try:
        rows = survey.survey(program)
        steady = mallocs.steady_state(program)
    except harness.HarnessError as error:
        return [], [f"{program.name}: {error}"]
    for row in rows:
        print(table.line(table.cells(row, steady)), flush=True)
    return rows, [problem for row in rows for problem in row.problems()]


def key_verdict(rows):
    """In how many programs every copy of a private key is in the fence, or at least locked."""
    unfenced, unlocked = collections.Counter(), collections.Counter()
    for row in rows:
        if row.is_key:
            unfenced[row.program] += row.fenced.copies - row.fenced.fenced
            unlocked[row.program] += row.fenced.left_over
    return (f"Private keys: every copy fenced in {_without(unfenced)} of {len(unfenced)} programs, "
            f"fenced or locked in place in {_without(unlocked)}.")


def _without(counts):
    return sum(not count for count in counts.values())


def main(names):
    harness.interrupt_on_terminate()
    chosen = [program for program in coverage.ALL if not names or program.name in names]
    if not chosen:
        print("coverage: no such program", file=sys.stderr)
        return 2
    print(table.heading(), flush=True)
    rows, problems = [], []
    for program in chosen:
        found, wrong = examine(program)
        rows += found
        problems += wrong
    print(f"\n{table.LEGEND}\n{key_verdict(rows)}")
    for problem in problems:
        print(f"coverage: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
