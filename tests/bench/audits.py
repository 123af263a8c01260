# SPDX-License-Identifier: Apache-2.0
"""What the audit costs beside 10,000 processes: one snapshot, and one a second."""

import operator

import programs
import report

SNAPSHOT = report.Budget("snapshot of a process, cheaper than from /proc", operator.ge, 50, "×",
                         broken=10)
PROCESSES = 10000
SHARE = report.Budget("audit each second, 10,000 processes, of a core", operator.le, 0.5, "%",
                      broken=5)
RESIDENT = report.Budget("the same, resident", operator.le, 24, "MiB")


def snapshot():
    """Rows and verdicts; no verdict where BPF cannot be loaded. The scanner to beat only opens
    and reads status, limits and cgroup: it parses nothing."""
    lines = programs.output([programs.program("snapshot_bench")]).splitlines()
    proc, scanner, *bpf = ((name.split(", ", 1)[1], float(time))
                           for name, time, _ in (line.split("\t") for line in lines))
    rows = [[f"audit's snapshot, per process, by {name}", f"/proc: {scanner[1]:,.0f} ns",
             f"{time:,.0f} ns", f"1/{scanner[1] / time:.0f}"] for name, time in [*bpf, proc]]
    return rows, [SNAPSHOT.judge(scanner[1] / bpf[0][1] if bpf else None)]


def repeated(seconds):
    """Rows and verdicts: the whole audit in one process, once a second."""
    command = [programs.program("audit_loop_bench"), str(PROCESSES), str(seconds)]
    lines = programs.output(command).splitlines()
    figures = {line.split("\t")[0]: float(line.split("\t")[1]) for line in lines}
    title = f"whole audit each second, {figures['processes']:,.0f} processes"
    row = [title, f"first: {figures['first-ms']:,.0f} ms", f"{figures['median-ms']:.1f} ms",
           f"{figures['cpu-percent']:.2f} % of a core, {figures['rss-mib']:.1f} MiB"]
    crowd = figures["processes"] / PROCESSES  # a shared machine may run many more
    return [row], [SHARE.judge(figures["cpu-percent"] / crowd),
                   RESIDENT.judge(figures["rss-mib"] / crowd)]
