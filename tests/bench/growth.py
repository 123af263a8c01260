# SPDX-License-Identifier: Apache-2.0
"""Many secrets: what they cost, and whether each is locked, refused, or counted as unlocked."""

import dataclasses
import operator
import os

import peers
import programs
import report

MILLION = 1_000_000
ASKED_AT_LIMIT = 2_000
LIMIT = 65_536  # bytes: the kernel's old default, and that of many containers

LOCKED_BYTES = report.Budget("locked bytes per 64 B secret, 1 M live", operator.le, 88, "B")
MAPPINGS = report.Budget("mappings of a process with 1 M live secrets", operator.lt, 100, "")
SILENT = report.Budget("silently unlocked of 1 M secrets", operator.eq, 0, "")
AT_LIMIT = report.Budget("64 B secrets locked under a limit of 64 KiB", operator.ge, 760, "")
SILENT_AT_LIMIT = report.Budget("silently unlocked at that limit", operator.eq, 0, "")

GROWN = dataclasses.replace(peers.PAGEWARDEN, policy="growth")

# Pools whose size the program must choose: one for all, one that can be locked. Of the first
# kind only the return value of the start tells, once, and no allocation does.
LIMITED = [
    peers.GLIBC,
    peers.LIBSODIUM,
    dataclasses.replace(peers.OPENSSL, title="OpenSSL, arena for 2,000 (init: 2)"),
    dataclasses.replace(peers.OPENSSL, title="OpenSSL, arena of 64 KiB", sized_for=1024),
    dataclasses.replace(peers.LIBGCRYPT, title="libgcrypt, pool for 2,000 (init: error)"),
    dataclasses.replace(peers.LIBGCRYPT, title="libgcrypt, pool of 64 KiB", sized_for=819),
    peers.BOTAN,
]
LIMITED_PAGEWARDEN = [
    dataclasses.replace(peers.PAGEWARDEN, title="**Pagewarden**, AllocateUnlocked",
                        policy="limit-unlocked"),
    dataclasses.replace(peers.PAGEWARDEN, title="**Pagewarden**, Fail", policy="limit-fail"),
]


def told(figures, asked):
    """Unlocked secrets that the ledger counts. It may count refused ones too: they are not
    allowed to make up for others."""
    return max(0, figures["counted"] - (asked - figures["returned"]))


def silent(figures, asked):
    """Secrets outside locked memory about which nobody was told."""
    return max(0, figures["returned"] - figures["locked"] - told(figures, asked))


def count(value):
    return f"{value:,.0f}"


def grow(peer, seconds):
    command = [peer.program, "growth", str(MILLION), str(peer.sized_for or MILLION), str(seconds)]
    return programs.held_figures(command, peer.policy)


def growth_row(peer, figures, seconds):
    secrets = figures["returned"] or 1
    end = {"all": "", "refused": ", then refused", "time": f" in {seconds} s"}[figures["end"]]
    return [peer.title, count(figures["returned"]) + end, count(figures["ns"]),
            count(figures["locked_bytes"] / secrets), count(figures["anonymous_bytes"] / secrets),
            count(figures["mappings"]), count(silent(figures, MILLION))]


def growth_table(chosen, seconds):
    rows = []
    for peer in chosen:
        figures = grow(peer, seconds)
        rows.append(growth_row(peer, figures, seconds))
        if peer == GROWN:
            verdicts = [LOCKED_BYTES.judge(figures["locked_bytes"] / (figures["returned"] or 1)),
                        MAPPINGS.judge(figures["mappings"]), SILENT.judge(silent(figures, MILLION))]
            assert figures["returned"] == MILLION, figures
    report.table("1,000,000 live secrets of 64 B, no limit",
                 ["allocator", "secrets", "ns each", "locked B each", "resident B each",
                  "mappings", "silently unlocked"], rows)
    return verdicts


def nobody(variables):
    """Starts a program as nobody, without capabilities, under the limit. The shim's variables
    come last, so that only that program has them."""
    return ["prlimit", f"--memlock={LIMIT}:{LIMIT}",
            "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all", "--no-new-privs",
            "env", *(f"{name}={value}" for name, value in variables.items())]


def grow_at_limit(peer):
    variables = programs.shim_variables(peer.policy) if peer.policy else {}
    sized_for = peer.sized_for or ASKED_AT_LIMIT
    command = [peer.program, "growth", str(ASKED_AT_LIMIT), str(sized_for), "10"]
    return programs.held_figures(nobody(variables) + command, peer.policy,
                                 programs.plain_environment())


def limit_table(chosen):
    if os.geteuid() != 0:
        return [AT_LIMIT.judge(None), SILENT_AT_LIMIT.judge(None)]
    rows, ours = [], []
    for peer in chosen:
        figures = grow_at_limit(peer)
        rows.append([peer.title, count(figures["returned"]), count(figures["locked"]),
                     count(ASKED_AT_LIMIT - figures["returned"]),
                     count(told(figures, ASKED_AT_LIMIT)), count(silent(figures, ASKED_AT_LIMIT))])
        if peer.policy:
            ours.append(figures)
    report.table("RLIMIT_MEMLOCK = 64 KiB, uid nobody, no capability, 2,000 secrets asked for",
                 ["allocator", "returned", "really locked", "refused", "unlocked, counted",
                  "silently unlocked"], rows)
    return [AT_LIMIT.judge(min(figures["locked"] for figures in ours)),
            SILENT_AT_LIMIT.judge(max(silent(figures, ASKED_AT_LIMIT) for figures in ours))]
