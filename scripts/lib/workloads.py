#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The table of scripts/workloads, in Markdown, a row as soon as it is known."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "programs"))

import harness  # noqa: E402
import workloads  # noqa: E402
from workloads import runner  # noqa: E402

HEADINGS = ("program", "work", "plain", "fenced", "ratio", "in the fence", "locked", "fell back",
            "verdict")


def row(*cells):
    print("|", " | ".join(cells), "|", flush=True)


def measured(result):
    census = result.census
    return (f"{result.plain_seconds:.2f} s", f"{result.fenced_seconds:.2f} s",
            f"{result.ratio:.2f} ×", f"{census.live:,}", f"{census.locked / 2**20:.1f} MiB",
            f"{census.worst.fell_back:,} of {census.worst.tagged:,}")


def examine(workload):
    """The cells of `workload` behind its name and work, and whether all was well."""
    nothing = ("–",) * 6
    missing = workload.missing()
    if missing:
        return (*nothing, f"skipped: no {', '.join(missing)}"), True
    try:
        result = runner.compare(workload, workload.runs)
    except harness.HarnessError as error:
        print(f"workloads: {workload.name} : {error}", file=sys.stderr)
        return (*nothing, "FAILED"), False
    problems = result.problems()
    return (*measured(result), "; ".join(problems) or "same"), not problems


def main(words):
    harness.interrupt_on_terminate()
    chosen = [workload for workload in workloads.ALL
              if not words or any(word in f"{workload.name} {workload.work}" for word in words)]
    if not chosen:
        print("workloads: no such program", file=sys.stderr)
        return 2
    row(*HEADINGS)
    row(*["---"] * len(HEADINGS))
    verdicts = []
    for workload in chosen:
        cells, good = examine(workload)
        row(workload.name, workload.work, *cells)
        verdicts.append(good)
    print("\nIn the fence: the most live allocations at one moment, as `pagewarden audit` saw "
          "them; locked: likewise.\nFell back: allocations that found no lockable memory, of all that "
          "the worst process had made when last seen.")
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
