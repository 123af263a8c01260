# SPDX-License-Identifier: Apache-2.0
"""Which share of a program's allocations its shipped policy moves once it has started.

Counted by the policy itself in `mode: Audit`, with a last rule for whatever the others leave:
both numbers of the ratio are of the same round of work.
"""

import contextlib
import dataclasses
import os
import re
import tempfile

import harness
import pagewarden

from .program import running

REST = "rest-of-the-mallocs"


@dataclasses.dataclass(frozen=True)
class Mallocs:
    moved: int
    all: int

    @property
    def share(self):
        return self.moved / self.all if self.all else 0.0


def counting(policy):
    """The text of a policy that counts what the given one would move, and everything else."""
    spec = re.search(r"^spec:\n(.*\n)*", policy, re.M).group()
    if re.search(r"^  mode:", spec, re.M):
        raise harness.HarnessError("a shipped policy has a mode of its own")
    rules = re.search(r"^  rules:\n((?:    .*| *#.*|)\n)*", spec, re.M).group().rstrip("\n")
    rest = f"    - {{name: {REST}, match: {{all: true}}}}"
    counted = spec.replace(rules, f"{rules}\n{rest}")
    return policy.replace(spec, counted.replace("spec:\n", "spec:\n  mode: Audit\n", 1))


@contextlib.contextmanager
def _counting_policy(program):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(counting(program.policy().read_text(encoding="utf-8")))
        file.flush()
        os.chmod(file.name, 0o644)  # the program's user may be another
        yield file.name


def _counts(run):
    """{pid: Mallocs} so far."""
    counts = {}
    for process in pagewarden.audit(run.cgroup)["processes"]:
        rules = process.get("shim", {}).get("rules", [])
        counts[process["pid"]] = Mallocs(
            sum(rule["audited"] for rule in rules if rule["name"] != REST),
            sum(rule["audited"] for rule in rules))
    return counts


def _difference(before, after):
    """Of the processes that live at the end. fork copies the counts: a new process starts with
    those of its parent, which are at least the oldest one's of before."""
    moved = total = 0
    for pid, counts in after.items():
        start = before.get(pid) or before.get(_parent(pid)) or Mallocs(0, 0)
        moved += counts.moved - start.moved
        total += counts.all - start.all
    return Mallocs(moved, total)


def _parent(pid):
    return int(harness.read_status(pid).get("PPid", "0"))


def steady_state(program):
    """The Mallocs of a round of work after the first one."""
    with _counting_policy(program) as policy, running(program, policy) as run:
        run.work()
        before = _counts(run)
        run.work()
        return _difference(before, _counts(run))
