# SPDX-License-Identifier: Apache-2.0
"""What allocate + write + wipe + free of a 64-byte secret costs."""

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
GAIN = report.Budget("pairs on two threads, over one", operator.ge, 1.7, "×", broken=0.05)
COUNTED = (2000, 6000)  # pairs; the difference leaves the start-up out


def nanoseconds(peer, live):
    return programs.figures([peer.program, "pairs", str(live)], peer.policy)["ns"]


def gain(peer):
    """None on a machine with one processor."""
    figures = programs.figures([peer.program, "threads"], peer.policy)
    return figures["two"] / figures["one"] if figures else None


def time_table(rounds):
    """All peers take turns in each round; ratios are within a round, medians over the rounds."""
    times = {(peer, live): [] for peer in peers.EVERY for live in LIVE}
    for _ in range(rounds):
        for peer in peers.EVERY:
            for live in LIVE:
                times[peer, live].append(nanoseconds(peer, live))

    def cells(peer):
        for live in LIVE:
            yield f"{statistics.median(times[peer, live]):,.1f}"
            yield f"{ratio(peer, live):,.2f}"

    def ratio(peer, live):
        base = times[peers.GLIBC, live]
        return statistics.median(map(operator.truediv, times[peer, live], base))

    report.table("One pair: allocate 64 B, write, wipe, free (CPU time)",
                 ["allocator", "0 live, ns", "× glibc", "1,000 live, ns", "× glibc"],
                 [[peer.title, *cells(peer)] for peer in peers.EVERY])
    return [TIME.judge(ratio(peers.PAGEWARDEN, 1000))]


def thread_table(rounds):
    gains = {peer: [] for peer in peers.EVERY}
    for _ in range(rounds):
        for peer in peers.EVERY:
            gains[peer].append(gain(peer))
    if None in gains[peers.GLIBC]:
        return [GAIN.judge(None)]
    report.table("Two threads over one, each on its own processor (best 10 ms of each)",
                 ["allocator", "median of the rounds", "best round"],
                 [[peer.title, f"{statistics.median(gains[peer]):.2f} ×",
                   f"{max(gains[peer]):.2f} ×"] for peer in peers.EVERY])
    return [GAIN.judge(statistics.median(gains[peers.PAGEWARDEN]))]


def instructions(peer):
    """User instructions of one pair, or None where valgrind does not start the program."""
    totals = []
    for pairs in COUNTED:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", peer.program,
                   "count", str(pairs)]
        done = subprocess.run(command, env=programs.environment(peer.policy), text=True,
                              capture_output=True, check=False)
        collected = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode != 0 or not collected:
            return None
        totals.append(int(collected[1]))
    return (totals[1] - totals[0]) / (COUNTED[1] - COUNTED[0])


def instruction_table():
    counts = [(peer.title, instructions(peer)) for peer in peers.EVERY]
    report.table("User instructions of one pair, 1,000 live (callgrind; the kernel's not counted)",
                 ["allocator", "instructions"],
                 [[title, "–" if count is None else f"{count:,.0f}"] for title, count in counts])
    return []
