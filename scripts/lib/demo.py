#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The story of scripts/demo: exit 0 only if every promise of it was kept."""

import collections
import pathlib
import shlex
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "programs"))

import coverage  # noqa: E402
import harness  # noqa: E402
import pagewarden  # noqa: E402
import swap  # noqa: E402
from credentials import make_keys  # noqa: E402
from nginx import Nginx  # noqa: E402

WORKERS = 2
kept_all = True


def title(text):
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def show(command):
    """The command as one types it at the root of the source tree."""
    words = [word.removeprefix(f"{ROOT}/") for word in map(str, command)]
    print(f"  $ {shlex.join(words)}", flush=True)


def promise(kept, text):
    global kept_all
    kept_all = kept_all and kept
    print(f"  [{'ok' if kept else 'BROKEN'}] {text}", flush=True)


def copies_by_process(setup, keys):
    """{pid: [copies, locked, fenced]} of the keys in the set-up's cgroup."""
    _, report = pagewarden.verify(setup.cgroup, keys)
    found = collections.defaultdict(lambda: [0, 0, 0])
    for copy in report["copies"]:
        row = found[copy["pid"]]
        row[0] += 1
        row[1] += copy["locked"]
        row[2] += copy["fenced"]
    return found


def print_copies(nginx, found):
    names = ["master"] + ["worker"] * WORKERS
    for name, pid in zip(names, nginx.pids()):
        copies, locked, fenced = found[pid]
        print(f"    {name} {pid:<8} {copies:3} copies  {locked:3} locked  {fenced:3} fenced")


def totals(found):
    return [sum(column) for column in zip(*found.values())] or [0, 0, 0]


def plain_nginx():
    title("1. nginx as it is: two TLS keys in ordinary heap")
    with harness.SetUp("demo") as setup:
        keys = make_keys(setup.directory)
        with Nginx(setup, keys, WORKERS, fenced=False) as nginx:
            show(nginx.command)
            for command in nginx.load_commands(200):
                show(command)
            nginx.load(200)
            show(pagewarden.verify_command(setup.cgroup, keys))
            found = copies_by_process(setup, keys)
            print_copies(nginx, found)
            copies, locked, _ = totals(found)
            promise(copies > 0 and locked == 0,
                    f"plain nginx: {copies} copies found, {locked} locked")


def check_fenced(setup, keys, nginx, when):
    show(pagewarden.verify_command(setup.cgroup, keys))
    found = copies_by_process(setup, keys)
    print_copies(nginx, found)
    copies, _, fenced = totals(found)
    everywhere = set(found) == set(nginx.pids())
    promise(everywhere and copies == fenced > 0,
            f"{when}: {copies} copies found, {fenced} fenced, in the master and {WORKERS} workers")


def fenced_nginx(setup, keys):
    title("2. The same nginx under pagewarden: every copy is fenced, and stays so")
    with Nginx(setup, keys, WORKERS, fenced=True) as nginx:
        show(nginx.command)
        check_fenced(setup, keys, nginx, "at start")
        for command in nginx.load_commands(200):
            show(command)
        nginx.load(200)
        check_fenced(setup, keys, nginx, "after 200 TLS requests")
        show(["kill", "-HUP", nginx.master()])
        nginx.reload()
        for command in nginx.load_commands(50):
            show(command)
        nginx.load(50)
        check_fenced(setup, keys, nginx, "after the reload and 50 requests to the new workers")
        swap_experiment()
        audit(setup, nginx)


def audit(setup, nginx):
    title("4. What the audit says about the nginx of step 2")
    show(pagewarden.audit_command(setup.cgroup))
    table = harness.run_checked(pagewarden.audit_command(setup.cgroup))
    print(textwrap.indent(table, "  "), end="")
    entry = pagewarden.audit(setup.cgroup)
    pids = setup.cgroup.pids()
    locked = [harness.locked_bytes(pid) for pid in pids]
    parts = " + ".join(f"{bytes_} (pid {pid})" for pid, bytes_ in zip(pids, locked))
    promise(entry["lockedBytes"] == sum(locked) > 0 and set(nginx.pids()) <= set(pids),
            f"lockedBytes {entry['lockedBytes']} = sum of VmLck: {parts}")
    promise(entry["limitMinBytes"] == harness.tightest_limit(pids),
            f"tightest limit {limit_text(entry['limitMinBytes'])}, "
            f"highest usage {usage_text(entry['usageMaxRatio'])}")


def limit_text(limit):
    return "unlimited" if limit is None else f"{limit} bytes"


def usage_text(ratio):
    return "none" if ratio is None else f"{ratio:.1%} of it"


def swap_experiment():
    title("3. Swap: push both out of memory, then search the swap file for the keys")
    print("  (a zeroed swap file of 128 MiB, nginx with two workers, 100 TLS requests,\n"
          "   process_madvise(MADV_PAGEOUT) on every writable mapping, sync, search)")
    plain = swap.experiment(coverage.Nginx, fenced=False)
    fenced = swap.experiment(coverage.Nginx, fenced=True)
    for name, outcome in (("plain", plain), ("fenced", fenced)):
        pushed = sum(outcome.swapped_bytes.values()) >> 10
        hits = sum(outcome.in_swap.values())
        print(f"    {name:<7} {sum(outcome.in_memory.values()):3} copies in memory  "
              f"{pushed:5} KiB pushed out  {hits:3} hits in swap")
    promise(all(plain.in_swap.values()), f"plain nginx leaks: {describe(plain.in_swap)}")
    promise(all(fenced.in_memory.values()) and all(fenced.swapped_bytes.values())
            and not any(fenced.in_swap.values()),
            f"fenced nginx does not: {describe(fenced.in_swap)}")
    promise(plain.answers and fenced.answers, "both still answer afterwards")


def describe(hits):
    return ", ".join(f"{count} hits of the {kind}" for kind, count in hits.items())


def main():
    harness.interrupt_on_terminate()
    plain_nginx()
    with harness.SetUp("demo") as setup:
        fenced_nginx(setup, make_keys(setup.directory))
    print("\nAll promises kept." if kept_all else "\nA promise was broken: see [BROKEN] above.")
    return 0 if kept_all else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except harness.HarnessError as error:
        sys.exit(f"demo: {error}")
