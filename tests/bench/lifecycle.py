# SPDX-License-Identifier: Apache-2.0
"""What the shim adds when a process starts and when it forks."""

import operator

import programs
import report

START = report.Budget("start-up added to a process, nothing to lock", operator.le, 150, "µs",
                      broken=3000)
RELOCK = report.Budget("re-lock in the fork child, 1 MiB arena", operator.le, 60, "µs", broken=1500)
COPIED = report.Budget("bytes copied by that re-lock", operator.eq, 0, "B")


def words(variables):
    return [f"{name}={value}" for name, value in variables.items()]


def start_table(rounds):
    environments = {
        "/bin/true": {},
        "under the shim, arena of 4 KiB": programs.shim_variables("start"),
        "under the shim, arena of 1 MiB": programs.shim_variables("pairs"),
        "under the shim, default presets": programs.shim_variables(),
    }
    command = [programs.program("spawn_bench"), str(rounds)]
    for variables in environments.values():
        command += ["--", *words(variables)]
    times = [float(line) for line in programs.output(command).splitlines()]
    report.table("Start to exit of /bin/true (wall time)", ["", "µs", "added, µs"],
                 [[name, f"{time:,.0f}", f"{time - times[0]:+,.0f}"]
                  for name, time in zip(environments, times)])
    return [START.judge(times[1] - times[0])]


def kibibytes(size):
    return f"{size / 1024:,.0f} KiB"


def fork_table(rounds):
    """The handlers' cost is fork() less the bare system call; the C library has handlers too."""
    command = [programs.program("fork_bench"), str(rounds)]
    runs = {"C library": programs.figures(command),
            "**Pagewarden**": programs.figures(command, "pairs")}
    handlers = [run["fork"] - run["bare"] for run in runs.values()]
    report.table("fork and exit of a process with 1 MiB of secrets (wall time; the child's memory)",
                 ["", "fork(), µs", "bare system call, µs", "handlers, µs", "locked again",
                  "copied", "copied by writing a byte"],
                 [[name, f"{run['fork']:,.1f}", f"{run['bare']:,.1f}", f"{cost:,.1f}",
                   kibibytes(run["locked"]), kibibytes(run["copied"]),
                   kibibytes(run["copied_by_write"] - run["copied"])]
                  for (name, run), cost in zip(runs.items(), handlers)])
    ours = runs["**Pagewarden**"]
    assert ours["locked"] > 0 and ours["copied_by_write"] > ours["copied"], ours
    return [RELOCK.judge(handlers[1] - handlers[0]), COPIED.judge(ours["copied"])]
