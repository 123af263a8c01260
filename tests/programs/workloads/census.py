# SPDX-License-Identifier: Apache-2.0
"""What `pagewarden audit` says about the processes of a run while they work."""

import dataclasses
import pathlib

import harness
import pagewarden


@dataclasses.dataclass(frozen=True, order=True)
class Tally:
    """One process's allocations since it started, or since its ancestors did: fork copies them."""

    fell_back: int  # tagged, but not in locked memory
    tagged: int

    @classmethod
    def of(cls, rules):
        fell_back = tagged = 0
        for rule in rules:
            fallbacks = rule["fallbacks"]
            fell_back += sum(fallbacks.values())
            # An unlocked arena's are in it all the same, and counted there.
            outside = sum(fallbacks.values()) - fallbacks.get("Unlocked", 0)
            tagged += rule["totalAllocations"] + outside
        return cls(fell_back, tagged)


class Census:
    """The most that any look found.

    live:     allocations in the fence at one moment, all processes together
    locked:   bytes locked at one moment, all processes together
    worst:    the Tally of the process with the most fall-backs, else allocations
    programs: executables of the processes in which the fence held something
    """

    interval = 0.1  # seconds between looks

    def __init__(self):
        self.live = 0
        self.locked = 0
        self.worst = Tally(0, 0)
        self.programs = set()

    def look(self, cgroup):
        processes = _processes(cgroup)
        self.live = max(self.live, sum(map(_live, processes)))
        self.locked = max(self.locked, sum(process["lockedBytes"] for process in processes))
        for process in processes:
            self.worst = max(self.worst, Tally.of(_shim(process, "rules")))
            if _live(process):
                self.programs.add(pathlib.Path(process["exe"]))


def _shim(process, what):
    return process.get("shim", {}).get(what, [])


def _live(process):
    return sum(arena["liveAllocations"] for arena in _shim(process, "arenas"))


def _processes(cgroup):
    try:
        return pagewarden.audit(cgroup)["processes"]
    except harness.HarnessError:
        if cgroup.pids():
            raise
        return []  # they ended before the audit came
