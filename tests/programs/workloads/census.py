# SPDX-License-Identifier: Apache-2.0
"""What `pagewarden audit` says about the processes of a run while they work."""

import pathlib

import harness
import pagewarden


class Census:
    """The most that any look found.

    live:      allocations in the fence at one moment, all processes together
    locked:    bytes locked at one moment, all processes together
    fell_back: tagged allocations that did not get locked memory
    programs:  executables of the processes in which the fence held something
    """

    interval = 0.1  # seconds between looks

    def __init__(self):
        self.live = 0
        self.locked = 0
        self.programs = set()
        self._fell_back = {}  # by pid

    @property
    def fell_back(self):
        return sum(self._fell_back.values())

    def look(self, cgroup):
        live = locked = 0
        for process in _processes(cgroup):
            arenas = process.get("shim", {}).get("arenas", [])
            in_fence = sum(arena["liveAllocations"] for arena in arenas)
            live += in_fence
            locked += process["lockedBytes"]
            if in_fence:
                self.programs.add(pathlib.Path(process["exe"]))
            self._note_fall_backs(process["pid"], sum(arena["fallbacks"] for arena in arenas))
        self.live = max(self.live, live)
        self.locked = max(self.locked, locked)

    def _note_fall_backs(self, pid, count):
        self._fell_back[pid] = max(count, self._fell_back.get(pid, 0))


def _processes(cgroup):
    try:
        return pagewarden.audit(cgroup)["processes"]
    except harness.HarnessError:
        if cgroup.pids():
            raise
        return []  # they ended before the audit came
