# SPDX-License-Identifier: Apache-2.0
"""Runs a workload plain and fenced, and compares."""

import contextlib
import dataclasses
import pathlib
import shutil
import statistics
import tempfile
import time

import harness

from .census import Census
from .workload import Session, Workload

# Everything tagged, from an arena that is too small for it and must grow.
POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: everything}
spec:
  rules:
    - match: {all: true}
  arenas:
    - name: everything
      capacity: 4Mi
      onCapacityExhausted: Grow
"""


@dataclasses.dataclass
class Result:
    workload: Workload
    plain: list  # seconds of each timed run
    fenced: list
    census: Census
    outcomes: set  # one element: the fence made no difference

    @property
    def plain_seconds(self):
        return statistics.median(self.plain)

    @property
    def fenced_seconds(self):
        return statistics.median(self.fenced)

    @property
    def ratio(self):
        return self.fenced_seconds / self.plain_seconds

    def problems(self):
        """What went wrong, in words; empty when nothing did."""
        problems = []
        if len(self.outcomes) != 1:
            problems.append("plain and fenced results differ")
        main_program = pathlib.Path(self.workload.programs[0]).resolve()
        if main_program not in self.census.programs:
            problems.append(f"no look found {main_program} with anything in the fence")
        return problems


def attempt(workload, inputs, policy, census=None):
    """(seconds, outcome) of one run, after which no process and no file is left."""
    with harness.SetUp(workload.name.split()[0]) as setup:
        session = Session(setup, policy, census, workload.timeout)
        start = time.monotonic()
        outcome = workload.run(session, inputs)
        return time.monotonic() - start, outcome


@contextlib.contextmanager
def _prepared(workload):
    """A directory with the policy and the workload's inputs, which any user can read."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="pagewarden-inputs-", dir="/tmp"))
    try:
        directory.chmod(0o755)
        policy = directory / "policy.yaml"
        policy.write_text(POLICY, encoding="utf-8")
        policy.chmod(0o644)
        inputs = directory / "inputs"
        inputs.mkdir()
        workload.prepare(inputs)
        yield inputs, policy
    finally:
        shutil.rmtree(directory)


def compare(workload, runs=0):
    """Runs plain and fenced with a census, then `runs` times each, in turns, for the clock."""
    result = Result(workload, [], [], Census(), set())
    with _prepared(workload) as (inputs, policy):
        result.outcomes.add(attempt(workload, inputs, None)[1])
        result.outcomes.add(attempt(workload, inputs, policy, result.census)[1])
        for _ in range(runs):
            for column, fence in ((result.plain, None), (result.fenced, policy)):
                seconds, outcome = attempt(workload, inputs, fence)
                column.append(seconds)
                result.outcomes.add(outcome)
    return result
