# SPDX-License-Identifier: Apache-2.0
"""What allocate + write + wipe + free of a 64-byte secret costs."""

import dataclasses
import operator
import re
import statistics
import subprocess

import peers
import programs
import report

LIVE = (0, 1000)
TIME = report.Budget("pair, 64 B, 1,000 live, over glibc + explicit_bzero", operator.le, 2.0, "×",
                     broken=6.0)
FOLLOWING = dataclasses.replace(TIME, what=TIME.what + ", an image followed")
GAIN = report.Budget("pairs on two threads, over one", operator.ge, 1.7, "×", broken=0.5)
COUNTED = (2000, 6000)  # pairs; the difference leaves the start-up out


def nanoseconds(peer, live):
    return programs.figures([peer.program, "pairs", str(live)], peer.policy)["ns"]


def gain(peer):
    """Throughput of two threads in their best 5 ms, over that of one; None on one processor."""
    figures = programs.figures([peer.program, "threads"], peer.policy)
    return figures["two"] / figures["one"] if figures else None


def ratio(figures, base):
    """Of figures that were taken in turns: the median of the rounds' ratios."""
    return statistics.median(map(operator.truediv, figures, base))


def measure(rounds):
    """All peers take turns in each round: {peer: [value of each round]} for each thing measured."""
    times = {live: {peer: [] for peer in peers.EVERY} for live in LIVE}
    gains = {peer: [] for peer in peers.EVERY}
    for _ in range(rounds):
        for peer in peers.EVERY:
            for live in LIVE:
                times[live][peer].append(nanoseconds(peer, live))
        for peer in peers.EVERY:
            gains[peer].append(gain(peer))
    return times, gains


def time_cells(peer, times):
    base = times[peers.GLIBC]
    return [f"{statistics.median(times[peer]):,.1f}", f"{ratio(times[peer], base):,.2f} ×"]


def gain_cell(values):
    if None in values:
        return "–"
    return f"{statistics.median(values):.2f} × ({max(values):.2f} ×)"


def pair_table(rounds, count_instructions):
    times, gains = measure(rounds)
    head = ["allocator"]
    for live in LIVE:
        head += [f"{live:,} live, ns", "over glibc"]
    head.append("two threads over one (best round)")
    rows = [[peer.title, *time_cells(peer, times[0]), *time_cells(peer, times[1000]),
             gain_cell(gains[peer])] for peer in peers.EVERY]
    if count_instructions:
        head.append("instructions")
        for row, peer in zip(rows, peers.EVERY):
            row.append(instructions(peer))
    report.table("A pair: allocate 64 B, write, wipe, free",
                 head, rows)
    ours = gains[peers.PAGEWARDEN]
    base = times[1000][peers.GLIBC]
    return [TIME.judge(ratio(times[1000][peers.PAGEWARDEN], base)),
            FOLLOWING.judge(ratio(times[1000][peers.FOLLOWING], base)),
            GAIN.judge(None if None in ours else statistics.median(ours))]


def instructions(peer):
    """Of one pair beside 1,000 live ones; a dash where valgrind does not start the program."""
    totals = []
    for pairs in COUNTED:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", peer.program,
                   "count", str(pairs)]
        done = subprocess.run(command, env=programs.environment(peer.policy), text=True,
                              capture_output=True, check=False)
        collected = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode != 0 or not collected:
            return "–"
        totals.append(int(collected[1]))
    return f"{(totals[1] - totals[0]) / (COUNTED[1] - COUNTED[0]):,.0f}"
