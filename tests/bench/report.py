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

    def cells(self):
        budget = f"{_SIGNS[self.budget.compare]} {self.budget.limit:g} {self.budget.unit}".rstrip()
        if self.measured is None:
            return [self.budget.what, budget, "–", "not measurable here"]
        return [self.budget.what, budget, self.budget.show(self.measured),
                "met" if self.met else "**missed**"]


def table(title, head, rows):
    print(f"**{title}**\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def verdicts(judged):
    table("Budgets", ["what", "budget", "measured", ""], [verdict.cells() for verdict in judged])
