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


def start(batches):
    """Rows and verdicts: an empty library shows what the loader takes for any."""
    environments = {
        "plain": {},
        "one empty library preloaded": {"LD_PRELOAD": programs.program("libbench.so")},
        "arena of 4 KiB": programs.shim_variables("start"),
        "arena of 1 MiB": programs.shim_variables("pairs"),
        "default presets": programs.shim_variables(),
    }
    times = dict(zip(environments, start_times(environments.values(), batches)))
    plain = times.pop("plain")
    rows = [[f"/bin/true, start to exit, {name}", f"plain: {plain:,.0f} µs", f"{time:,.0f} µs",
             f"{time - plain:+,.0f} µs"] for name, time in times.items()]
    return rows, [START.judge(times["arena of 4 KiB"] - plain)]


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


def fork(batches):
    """Rows and verdicts. The handlers' cost is fork() less the bare system call; the C library
    has handlers too."""
    plain, ours = fork_figures(batches)
    before, after = (run["fork"] - run["bare"] for run in (plain, ours))
    copied_by_write = ours["copied_by_write"] - ours["copied"]
    assert ours["locked"] > 0 and copied_by_write > 0, ours  # or 0 copied would prove nothing
    rows = [["atfork handlers, 1 MiB of secrets", f"C library's: {before:.1f} µs",
             f"{after:.1f} µs", f"{after - before:+.1f} µs"],
            [f"copied by locking {kibibytes(ours['locked'])} again",
             f"by writing a byte: {kibibytes(copied_by_write)}", kibibytes(ours["copied"]), ""]]
    return rows, [RELOCK.judge(after - before), COPIED.judge(ours["copied"])]
