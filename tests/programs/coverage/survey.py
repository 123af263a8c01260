# SPDX-License-Identifier: Apache-2.0
"""Searches a program at work for its secrets, plain and under its shipped policy."""

import collections
import dataclasses

import pagewarden

from .program import running


@dataclasses.dataclass
class Look:
    """The copies of one secret that one search found."""

    when: str
    copies: int = 0
    fenced: int = 0
    locked: int = 0  # in place: not in the fence, but in locked memory
    left: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # by kind

    def add(self, copy):
        self.copies += 1
        self.fenced += copy["fenced"]
        self.locked += copy["locked"] and not copy["fenced"]
        if not copy["locked"]:
            self.left[copy["kind"]] += 1

    @property
    def left_over(self):
        """How many are in unlocked memory."""
        return self.left.total()


def look(run, when):
    """{kind of secret: Look} of all processes of a run."""
    looks = {}
    for secret in run.secrets:
        looks[secret.kind] = found = Look(when)
        for copy in pagewarden.verify(run.cgroup, [secret])[1]["copies"]:
            found.add(copy)
    return looks


def looks_at_work(run):
    """Looks after a round of work, and after another one behind a reload."""
    run.work()
    looks = [look(run, "at work")]
    if run.can_reload():
        run.reload()
        run.work()
        looks.append(look(run, "after the reload"))
    return looks


@dataclasses.dataclass
class Row:
    """What was found of one secret of one program: the look with the most left over."""

    program: type
    secret: str
    is_key: bool
    plain: Look
    fenced: Look

    def reason(self, place):
        """Why copies are left there; None if nobody knows."""
        return self.program.explained.get(self.secret, {}).get(place)

    def problems(self):
        """What may not be, in words; empty when all is as the program's module says."""
        name = f"{self.program.name}, {self.secret}"
        problems = []
        if not self.plain.copies:
            problems.append(f"{name}: no copy in the plain program: nothing to fence")
        problems += [f"{name}: {count} left in {place} {self.fenced.when}, unexplained"
                     for place, count in self.fenced.left.items() if not self.reason(place)]
        return problems


def worst(looks, kind):
    """Of several looks the one with the most left over, or else the last."""
    return max(reversed([found[kind] for found in looks]), key=lambda found: found.left_over)


def survey(program):
    """The rows of `program`."""
    with running(program) as run:
        plain = looks_at_work(run)
    with running(program, program.policy()) as run:
        fenced = looks_at_work(run)
        return [Row(program, secret.kind, secret.is_key, worst(plain, secret.kind),
                    worst(fenced, secret.kind)) for secret in run.secrets]
