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


def snapshot():
    """Nanoseconds for a process: from /proc, and by BPF or None."""
    lines = programs.output([programs.program("snapshot_bench")]).splitlines()
    times = [float(line.split("\t")[1]) for line in lines]
    return times[0], times[2] if len(times) == 3 else None


def forwarding_table(rounds):
    rows, verdicts = [], []
    for title, argument, baseline, budget in ROWS:
        plain, shimmed = nanoseconds(argument, rounds)
        rows.append([title, f"{baseline}: {plain:.1f} ns", f"{shimmed:.1f} ns",
                     f"{shimmed - plain:+.1f} ns"])
        verdicts.append(budget.judge(shimmed - plain))
    proc, bpf = snapshot()
    if bpf is not None:
        rows.append(["snapshot, per process", f"/proc: {proc:,.0f} ns", f"{bpf:,.0f} ns",
                     f"1/{proc / bpf:.0f}"])
    verdicts.append(SNAPSHOT.judge(None if bpf is None else proc / bpf))
    report.table("What pays that has no secret",
                 ["what", "baseline", "with Pagewarden", "change"], rows)
    return verdicts
