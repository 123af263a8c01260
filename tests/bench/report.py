# SPDX-License-Identifier: Apache-2.0
"""Markdown tables, and budgets that are met or missed."""

import dataclasses
import operator

_SIGNS = {operator.le: "≤", operator.ge: "≥", operator.lt: "<", operator.eq: "="}


@dataclasses.dataclass(frozen=True)
class Budget:
    """A limit. An exact one (bytes, counts) must be met; a time, on a machine that may be
    shared, only has to be on the right side of `broken`."""

    what: str
    compare: object  # of operator
    limit: float
    unit: str
    broken: float = None

    def judge(self, measured):
        return Verdict(self, measured)

    def show(self, value):
        exact = float(value).is_integer() and self.broken is None
        text = f"{value:,.0f}" if exact or abs(value) >= 100 else f"{value:,.1f}"
        return f"{text} {self.unit}".rstrip()


@dataclasses.dataclass(frozen=True)
class Verdict:
    budget: Budget
    measured: float  # None: cannot be measured here

    @property
    def met(self):
        return self.measured is None or self.budget.compare(self.measured, self.budget.limit)

    @property
    def failed(self):
        if self.met:
            return False
        broken = self.budget.broken
        return broken is None or not self.budget.compare(self.measured, broken)

    @property
    def doubtful(self):
        """A time that other load on the machine may have broken."""
        return self.failed and self.budget.broken is not None

    def cells(self):
        budget = f"{_SIGNS[self.budget.compare]} {self.budget.limit:g} {self.budget.unit}".rstrip()
        if self.measured is None:
            return [self.budget.what, budget, "–", "not measurable here"]
        return [self.budget.what, budget, self.budget.show(self.measured),
                "met" if self.met else "**missed**"]


def settled(measure, verdicts_of=lambda measured: measured, attempts=3):
    """What `measure` returns, taken again while a time in it is far beyond its budget: a burst
    of load hits one measurement, a fault of ours hits each."""
    for left in reversed(range(attempts)):
        measured = measure()
        doubtful = [verdict for verdict in verdicts_of(measured) if verdict.doubtful]
        if not doubtful or left == 0:
            return measured
        for verdict in doubtful:
            print(f"Measured again: {', '.join(verdict.cells()[:3])}.\n")


def table(title, head, rows):
    print(f"**{title}**\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def verdicts(judged):
    table("Budgets", ["what", "budget", "measured", ""], [verdict.cells() for verdict in judged])
