# SPDX-License-Identifier: Apache-2.0
"""What pays that has no secret: forwarded calls."""

import dataclasses
import operator
import statistics

import programs
import report

@dataclasses.dataclass(frozen=True)
class Row:
    title: str
    argument: str
    baseline: str
    limit: float  # over the baseline, in ns; None: there is no budget
    policy: str = "pairs"
    baseline_policy: str = None

    def judge(self, base, measured):
        """On a machine that is slow at the moment, the baseline is as well."""
        if self.limit is None:
            return []
        return [report.Budget(f"{self.title}, over the baseline", operator.le, self.limit, "ns",
                              broken=max(20 + self.limit, 4 * base)).judge(measured - base)]


ROWS = [
    Row("untagged malloc + free, 64 B", "malloc", "glibc", 2.5),
    Row("untagged new + delete, 64 B", "new", "libstdc++ on glibc", 1.5),
    Row("call of a hooked function", "call", "call across libraries", 2.5),
    Row("untagged malloc + free, 64 B, an image followed", "malloc", "glibc", 2.5, "live:pairs"),
    Row("untagged new + delete, 64 B, an image followed", "new", "libstdc++ on glibc", 1.5,
        "live:pairs"),
    Row("call of a hooked function, an image followed", "call", "call across libraries", 2.5,
        "live:pairs"),
    Row("call of a function that a rule may name later", "call", "call across libraries", 2.5,
        "live:later"),
    Row("malloc + free in an extent that does not take it", "extent", "glibc", None, "query"),
    Row("untagged malloc + free, rules by caller", "malloc", "glibc", 3.5, "sites"),
    Row("malloc + free behind 1 transparent frame", "fold1", "without rules by caller", None,
        "sites", "pairs"),
    Row("malloc + free behind 4 transparent frames", "fold4", "without rules by caller", None,
        "sites", "pairs"),
    Row("malloc + free behind 8 transparent frames", "fold8", "without rules by caller", 25,
        "sites", "pairs"),
]


def nanoseconds(row, rounds):
    """Medians of the baseline and of the row, which take turns."""
    command = [programs.program("forwarding_bench"), row.argument]
    base, measured = [], []
    for _ in range(rounds):
        base.append(float(programs.output(command, row.baseline_policy)))
        measured.append(float(programs.output(command, row.policy)))
    return statistics.median(base), statistics.median(measured)


def calls(rounds):
    """Rows and verdicts."""
    rows, verdicts = [], []
    for row in ROWS:
        base, measured = nanoseconds(row, rounds)
        rows.append([row.title, f"{row.baseline}: {base:.1f} ns", f"{measured:.1f} ns",
                     f"{measured - base:+.1f} ns"])
        verdicts += row.judge(base, measured)
    return rows, verdicts
