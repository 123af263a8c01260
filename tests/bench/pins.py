# SPDX-License-Identifier: Apache-2.0
"""What pins cost the program that has them: its mappings, its threads and, with the
whole process pinned, each allocation. No budgets: a program without pins pays nothing."""

import statistics

import programs

# title, argument, policy
ROWS = [
    ("mmap + munmap of 64 KiB, pinned", "map", "pins"),
    ("a thread's start and end, its stack pinned", "thread", "pins"),
    ("malloc + free, 64 B, the process pinned", "malloc", "pin-process"),
    ("a thread's start and end, the process pinned", "thread", "pin-process"),
]


def nanoseconds(argument, policy, rounds):
    """Medians without and with the pins, which take turns."""
    command = [programs.program("pins_bench"), argument]
    plain, pinned = [], []
    for _ in range(rounds):
        plain.append(float(programs.output(command)))
        pinned.append(float(programs.output(command, policy)))
    return statistics.median(plain), statistics.median(pinned)


def costs(rounds):
    """Rows, and no verdicts."""
    rows = []
    for title, argument, policy in ROWS:
        plain, pinned = nanoseconds(argument, policy, rounds)
        rows.append([title, f"without: {plain:,.1f} ns", f"{pinned:,.1f} ns",
                     f"{pinned - plain:+,.1f} ns"])
    return rows, []
