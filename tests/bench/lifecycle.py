# SPDX-License-Identifier: Apache-2.0
"""What the shim adds when a process starts and when it forks."""

import operator
import statistics

import programs
import report

ROUNDS = 100  # of a batch

START = report.Budget("start-up added to a process, nothing to lock", operator.le, 150, "µs",
                      broken=3000)
RELOCK = report.Budget("re-lock in the fork child, 1 MiB arena", operator.le, 60, "µs", broken=1500)
COPIED = report.Budget("bytes copied by that re-lock", operator.eq, 0, "B")


def words(variables):
    return [f"{name}={value}" for name, value in variables.items()]


def start_times(environments, batches):
    """Microseconds in each environment, median over the batches: a burst of load hits whole
    batches."""
    command = [programs.program("spawn_bench"), str(ROUNDS)]
    for variables in environments:
        command += ["--", *words(variables)]
    runs = [map(float, programs.output(command).splitlines()) for _ in range(batches)]
    return [statistics.median(times) for times in zip(*runs)]


def start_table(batches):
    environments = {
        "/bin/true": {},
        "with one empty library preloaded": {"LD_PRELOAD": programs.program("libbench.so")},
        "under the shim, arena of 4 KiB": programs.shim_variables("start"),
        "under the shim, arena of 1 MiB": programs.shim_variables("pairs"),
        "under the shim, default presets": programs.shim_variables(),
    }
    times = dict(zip(environments, start_times(environments.values(), batches)))
    added = {name: time - times["/bin/true"] for name, time in times.items()}
    report.table("Start to exit of /bin/true (wall time)", ["", "µs", "added, µs"],
                 [[name, f"{times[name]:,.0f}", f"{added[name]:+,.0f}"] for name in times])
    return [START.judge(added["under the shim, arena of 4 KiB"])]


def kibibytes(size):
    return f"{size / 1024:,.0f} KiB"


def fork_figures(batches):
    """Those without the shim and those with it, which take turns. Times are medians over the
    batches; a page must not be copied in any."""
    command = [programs.program("fork_bench"), str(ROUNDS)]
    runs = [[programs.figures(command, policy) for policy in (None, "pairs")]
            for _ in range(batches)]
    over = {"copied": max}
    return [{name: over.get(name, statistics.median)([run[name] for run in batch])
             for name in batch[0]} for batch in zip(*runs)]


def fork_table(batches):
    """The handlers' cost is fork() less the bare system call; the C library has handlers too."""
    runs = dict(zip(["C library", "**Pagewarden**"], fork_figures(batches)))
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
