# SPDX-License-Identifier: Apache-2.0
"""What pays that has no secret: forwarded calls, and the audit's snapshot."""

import operator
import statistics

import programs
import report

# title, argument, baseline, budget over it in ns
ROWS = [
    ("untagged malloc + free, 64 B", "malloc", "glibc",
     report.Budget("untagged malloc + free, over glibc", operator.le, 2.5, "ns", broken=20)),
    ("untagged new + delete, 64 B", "new", "libstdc++ on glibc",
     report.Budget("untagged new + delete, over libstdc++", operator.le, 1.5, "ns", broken=20)),
    ("call of a hooked function", "call", "call across libraries",
     report.Budget("call of a hooked function, over a plain one", operator.le, 2.5, "ns",
                   broken=20)),
]
SNAPSHOT = report.Budget("snapshot of a process, cheaper than from /proc", operator.ge, 50, "×",
                         broken=10)


def nanoseconds(argument, rounds):
    """Medians without and with the shim, which take turns."""
    command = [programs.program("forwarding_bench"), argument]
    plain, shimmed = [], []
    for _ in range(rounds):
        plain.append(float(programs.output(command)))
        shimmed.append(float(programs.output(command, "pairs")))
    return statistics.median(plain), statistics.median(shimmed)


def calls(rounds):
    """Rows and verdicts."""
    rows, verdicts = [], []
    for title, argument, baseline, budget in ROWS:
        plain, shimmed = nanoseconds(argument, rounds)
        rows.append([title, f"{baseline}: {plain:.1f} ns", f"{shimmed:.1f} ns",
                     f"{shimmed - plain:+.1f} ns"])
        verdicts.append(budget.judge(shimmed - plain))
    return rows, verdicts


def snapshot():
    """Rows and verdicts; none where BPF cannot be loaded."""
    lines = programs.output([programs.program("snapshot_bench")]).splitlines()
    proc, _, *bpf = (float(line.split("\t")[1]) for line in lines)
    if not bpf:
        return [], [SNAPSHOT.judge(None)]
    row = ["audit's snapshot, per process", f"/proc: {proc:,.0f} ns", f"{bpf[0]:,.0f} ns",
           f"1/{proc / bpf[0]:.0f}"]
    return [row], [SNAPSHOT.judge(proc / bpf[0])]
