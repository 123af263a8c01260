#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL for the agent, fifty times at random: while it audits, reloads and writes events.

A fenced nginx serves requests meanwhile, a process is refused memory all the time, another
one locks to new peaks, and policy files flip. After each restart no peak and no count is
lower than anybody has seen it, and every event that anybody has seen is still there.

Runs in a mount namespace of its own: nginx and the agent share the directory of the images.
"""

import ctypes
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import unittest

import credentials
import harness
import pagewarden
from agents import Agent, policy
from nginx import POLICY, Nginx

KILLS = int(os.environ.get("PAGEWARDEN_KILLS", "50"))
NOBODY = 65534
MIB = 1 << 20
NAMESPACE = ["unshare", "--mount", "--propagation", "private", "sh", "-ec",
             'mkdir -p /run/pagewarden; mount -t tmpfs -o mode=0755 tmpfs /run/pagewarden; '
             'exec "$@"', "sh"]

BUDGET = """apiVersion: pagewarden/v1alpha1
kind: MemlockBudget
metadata: {{name: budget}}
spec:
  budgets:
    - name: small
      selector: {{matchCgroups: ['{cgroup}']}}
      scope: Process
      limit: 2Mi
"""

# What is in the books. Counters of the agent itself begin anew with it.
MONOTONE = re.compile(
    r"pagewarden_(cgroup_locked_peak_bytes|memlock_denials_total|memlock_oom_kills_total|"
    r"shim_skipped_total|tagged_allocations_total|tagged_frees_total|arena_fallbacks_total|"
    r"guard_faults_total|canary_violations_total|invalid_frees_total)\b")


def run_refused():
    """Asks for memory that its limit forbids, until it is killed."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (64 << 10, 64 << 10))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    area = ctypes.c_void_p(libc.mmap(None, ctypes.c_size_t(MIB), 3, 0x22, -1, ctypes.c_long(0)))
    print("ready", flush=True)
    while True:
        libc.mlock(area, ctypes.c_size_t(MIB))
        time.sleep(0.003)


def run_peaks():
    """Locks a little more each time, and lets go of it in between."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    most = 64 * MIB
    area = ctypes.c_void_p(libc.mmap(None, ctypes.c_size_t(most), 3, 0x22, -1, ctypes.c_long(0)))
    print("ready", flush=True)
    size = 64 << 10
    while size < most:
        libc.mlock(area, ctypes.c_size_t(size))
        time.sleep(0.04)
        libc.munlock(area, ctypes.c_size_t(size))
        time.sleep(0.01)
        size += 16 << 10
    signal.pause()


def start_child(setup, word):
    child = subprocess.Popen([sys.executable, __file__, word], stdout=subprocess.PIPE, text=True,
                             preexec_fn=setup.cgroup.enter)
    child.stdout.readline()
    return child


class Repeat(threading.Thread):
    """Calls `act` again and again until it is stopped; errors are kept."""

    def __init__(self, act, pause):
        super().__init__(daemon=True)
        self.act, self.pause = act, pause
        self.calls, self.errors = 0, []
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(self.pause):
            try:
                self.act()
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(repr(error))
            self.calls += 1

    def stop(self):
        self.over.set()
        self.join()


class Witness:
    """What anybody has seen of the agent, and what it must therefore say again."""

    def __init__(self, case):
        self.case = case
        self.values = {}  # highest, by series
        self.events = {}  # by sequence number
        self.last_sequence = 0

    def see_metrics(self, text):
        for line in text.splitlines():
            if not MONOTONE.match(line):
                continue
            series, value = line.rsplit(" ", 1)
            before = self.values.get(series, 0.0)
            self.case.assertGreaterEqual(float(value), before, f"{series} went down")
            self.values[series] = float(value)
        return text

    def see_event(self, event):
        before = self.events.setdefault(event["sequence"], event)
        self.case.assertEqual(before, event, "one number, two events")

    def see_lines(self, lines):
        for line in lines:
            try:
                self.see_event(json.loads(line))
            except json.JSONDecodeError:
                continue  # torn by the kill, on its way to us

    def see_answer(self, answer):
        """One of /v1/events with all that the agent has."""
        numbers = [event["sequence"] for event in answer["events"]]
        self.case.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        self.case.assertFalse(answer["more"])
        for event in answer["events"]:
            self.see_event(event)
        missing = [n for n in self.events if numbers[0] <= n and n not in set(numbers)]
        self.case.assertEqual([], missing, "acknowledged events are gone")
        self.case.assertGreaterEqual(numbers[-1], self.last_sequence)
        self.last_sequence = numbers[-1]


class Flipper:
    """The next state of a policy file with each call."""

    def __init__(self, agent):
        self.agent = agent
        self.step = 0

    def __call__(self):
        states = [policy("flip", "Audit", "/usr/bin/true"),
                  policy("flip", "Enforce", "/usr/bin/true"),
                  policy("flip", "Audit", "/usr/bin/true").replace("mode:", "mdoe:"),
                  policy("flip", "Enforce", "/usr/bin/false")]
        write = self.agent.write if self.step % 2 else self.agent.rename
        write("flip.yaml", states[self.step % len(states)])
        self.step += 1


@harness.needs_root
class AgentKill(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(20261126)
        self.setup = self.enterContext(harness.SetUp("agentkill"))
        self.keys = [credentials.make_key(self.setup.directory, kind) for kind in ("RSA", "EC")]
        self.agent = Agent(self.setup.directory, "--cgroup", self.setup.cgroup.path,
                           "--interval", "200ms")
        self.agent.runtime = "/run/pagewarden"
        self.agent.socket = "/run/pagewarden/agent.sock"
        self.agent.policies.mkdir()
        self.agent.write("nginx.yaml", POLICY.read_text(encoding="utf-8"))
        self.agent.write("budget.yaml", BUDGET.format(cgroup=self.setup.cgroup.path))
        self.witness = Witness(self)

    def look(self):
        """What a scraper and an operator see just now."""
        status, text = self.agent.get_tcp("/metrics")
        self.assertEqual(200, status)
        self.witness.see_metrics(text)
        status, text = self.agent.get("/v1/events?limit=10000")
        self.assertEqual(200, status, text)
        self.witness.see_answer(json.loads(text))

    def live_and_die(self):
        """One life of the agent. Every fifth one ends before it answers."""
        if self.random.randrange(5) == 0:
            self.agent.start(ready=False)
            time.sleep(self.random.uniform(0, 0.3))
        else:
            self.agent.start()
            end = time.monotonic() + self.random.uniform(0.05, 0.6)
            self.look()
            while time.monotonic() < end:
                time.sleep(self.random.uniform(0, 0.1))
                self.look()
            if self.random.randrange(3) == 0:
                self.wait_for_a_word()
        self.agent.kill()
        self.witness.see_lines(list(self.agent.lines))
        self.agent.lines.clear()

    def wait_for_a_word(self):
        """Returns while it writes events: the one that came is of a batch."""
        count = len(self.agent.lines)
        end = time.monotonic() + 1
        while len(self.agent.lines) == count and time.monotonic() < end:
            time.sleep(0.001)

    def test_killed_at_random(self):
        for word in ("refused", "peaks"):
            child = start_child(self.setup, word)
            self.addCleanup(child.stdout.close)
            self.addCleanup(child.wait)
            self.addCleanup(child.kill)
        with Nginx(self.setup, self.keys, workers=2, fenced=True) as nginx:
            pids = nginx.pids()
            locked = [harness.locked_bytes(pid) for pid in pids]
            requests = Repeat(nginx.request, 0.02)
            self.addCleanup(requests.stop)
            flips = Repeat(Flipper(self.agent), 0.07)
            self.addCleanup(flips.stop)
            self.addCleanup(lambda: self.agent.process and self.agent.kill())
            for _ in range(KILLS):
                self.live_and_die()
            flips.stop()
            Flipper(self.agent)()
            self.agent.start()
            self.look()
            requests.stop()
            self.check_nginx(nginx, pids, locked, requests)
            self.check_what_was_seen(flips)

    def check_nginx(self, nginx, pids, locked, requests):
        self.assertEqual([], requests.errors)
        self.assertGreater(requests.calls, 2 * KILLS)
        self.assertEqual(pids, nginx.pids())
        for pid, before in zip(pids, locked):
            self.assertGreaterEqual(harness.locked_bytes(pid), before)
        code, found = pagewarden.verify(self.setup.cgroup, [key.secret for key in self.keys])
        self.assertEqual(0, code, found["summary"])
        self.assertEqual(0, found["summary"]["unlocked"])

    def check_what_was_seen(self, flips):
        """That all of it happened while the agent was killed."""
        self.assertEqual([], flips.errors)
        kinds = {event["type"] for event in self.witness.events.values()}
        self.assertLessEqual({"agent", "denial", "reload", "budget"}, kinds)
        cgroup = self.setup.cgroup.path
        of_cgroup = {series: value for series, value in self.witness.values.items()
                     if f'cgroup="{cgroup}"' in series}
        peak = max(v for s, v in of_cgroup.items() if "locked_peak_bytes" in s)
        denials = sum(v for s, v in of_cgroup.items() if "memlock_denials_total" in s)
        tagged = sum(v for s, v in self.witness.values.items() if "tagged_allocations_total" in s)
        self.assertGreater(peak, MIB)
        self.assertGreater(denials, 10 * KILLS)
        self.assertGreater(tagged, 100)
        self.check_raised_once()
        print(f"{KILLS} kills, {len(self.witness.events)} events seen, last number "
              f"{self.witness.last_sequence}, {len(self.witness.values)} series never went down, "
              f"{flips.calls} flips, {denials:.0f} denials, peak {peak / MIB:.1f} MiB",
              file=sys.stderr)

    def check_raised_once(self):
        """What begins has not begun already, and what ends had begun."""
        standing = {}
        for _, event in sorted(self.witness.events.items()):
            key = event.get("details", {}).get("key")
            if key is None or event["type"] == "reload":
                continue
            level = event["details"].get("level", "")
            if event["raised"]:
                self.assertNotEqual(standing.get(key), level, f"told twice: {event}")
                standing[key] = level
            else:
                self.assertIn(key, standing, f"ended, and never begun: {event}")
                del standing[key]


if __name__ == "__main__":
    if sys.argv[1:2] == ["refused"]:
        run_refused()
    elif sys.argv[1:2] == ["peaks"]:
        run_peaks()
    elif os.geteuid() == 0 and sys.argv[1:2] != ["inside"]:
        sys.exit(subprocess.run([*NAMESPACE, sys.executable, __file__, "inside"],
                                check=False).returncode)
    else:
        sys.argv = sys.argv[:1]
        harness.main()
