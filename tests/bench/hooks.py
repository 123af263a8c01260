# SPDX-License-Identifier: Apache-2.0
"""What the watch's hooks cost every process of the machine, and what each run of ours takes."""

import operator

import programs
import report

UNRELATED = report.Budget("getppid while the default hooks are attached, change", operator.le, 2,
                          "%", broken=15)
LOCKING = report.Budget("mlock + munlock of a page likewise, change", operator.le, 30, "%",
                        broken=100)

TITLES = {
    "getppid": "getppid",
    "mlock": "mlock + munlock of a page",
    "mmap": "mmap + munmap of a page",
    "fault": "a page fault",
    "fork": "fork + exit",
}
HOOKS = {
    "default": "default hooks",
    "counted": "default hooks, their runs counted",
    "trace_syscalls": "system calls traced",
}
NOT_HERE = 77


def _lines(rounds):
    command = [programs.program("hooks_bench"), str(rounds)]
    output = programs.run_checked(command, programs.plain_environment(), accept=(0, NOT_HERE))
    return [line.split("\t") for line in output.splitlines()]


def costs(rounds):
    """Prints the two tables; verdicts."""
    measured = _lines(rounds)
    if not measured:
        return [UNRELATED.judge(None), LOCKING.judge(None)]
    rows, changes = [], {}
    for name, hooks, without, attached in (line for line in measured if line[0] in TITLES):
        ratio = float(attached) / float(without)
        changes[name, hooks] = (ratio - 1) * 100
        rows.append([f"{TITLES[name]}, {HOOKS[hooks]}", f"{float(without):,.0f} ns",
                     f"{float(attached):,.0f} ns", f"{ratio:.2f}"])
    report.table("While `audit --watch` is attached", ["what", "without", "with", "ratio"], rows)
    report.table("Our programs in one pass of those workloads", ["question", "runs", "ns a run"],
                 [line[1:] for line in measured if line[0] == "program"])
    return [UNRELATED.judge(changes["getppid", "default"]),
            LOCKING.judge(changes["mlock", "default"])]
