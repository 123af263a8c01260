#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What others do, and what the machine does, to a running agent: locks on its files by other
users, clients that dribble, readers that stop, a clock that is set back, too few descriptors.
It goes on auditing, and ends when it is told to."""

import contextlib
import fcntl
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import harness
from agents import Agent, policy

TOOLS = harness.BUILD / "tests" / "programs"

# Locks the files and directories that it may open, until its input ends.
LOCKER = """
import fcntl, os, sys
held = []
for path in sys.argv[1:]:
    try:
        held.append(os.open(path, os.O_RDONLY))
        fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pass
print(len(held), flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def locks_of_another_user(paths):
    """How many of `paths` another user could open, and locks if nobody else has."""
    with subprocess.Popen(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             "/usr/bin/python3", "-c", LOCKER, *map(str, paths)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as locker:
        yield int(locker.stdout.readline())
        locker.stdin.close()


class HostileCase(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pagewarden-agent-", dir="/tmp"))
        self.directory.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.directory)

    def agent(self, *options, **more):
        return self.enterContext(Agent(self.directory, *options, **more))

    def wait_for_an_audit(self, agent):
        before = agent.status()["agent"]["health"]["audits"]
        agent.wait_for(lambda s: s["agent"]["health"]["audits"] > before, "another audit is made")

    def assert_ends(self, agent):
        started = time.monotonic()
        self.assertEqual(0, agent.stop())
        self.assertLess(time.monotonic() - started, 5)


class OtherUsers(HostileCase):
    def test_their_locks_keep_no_policy_out(self):
        agent = self.agent()
        found = [agent.runtime, *agent.runtime.rglob("*")]
        with locks_of_another_user(found) as count:
            self.assertGreater(count, 1)  # the directory and the image
            agent.write("a.yaml", policy("a"))
            agent.wait_for_modes({"a": "Audit"})
            self.assert_ends(agent)

    def test_their_locks_keep_no_agent_from_starting(self):
        agent = self.agent()
        self.assert_ends(agent)
        (agent.runtime / "agent.lock").chmod(0o644)  # as older agents made it
        agent.start()
        self.assert_ends(agent)
        with locks_of_another_user([agent.runtime, *agent.runtime.rglob("*")]):
            agent.start()
            self.assert_ends(agent)


class Clients(HostileCase):
    def test_half_requests_do_not_delay_the_end(self):
        agent = self.agent()
        with contextlib.ExitStack() as clients:
            for _ in range(8):
                client = clients.enter_context(socket.socket(socket.AF_UNIX))
                client.connect(str(agent.socket))
                client.send(b"GET /v1/st")
            started = time.monotonic()
            self.assertEqual(200, agent.get("/healthz")[0])
            self.assertLess(time.monotonic() - started, 1.5)
            self.assert_ends(agent)


class Readers(HostileCase):
    def test_who_stops_reading_its_output_stops_nothing(self):
        agent = Agent(self.directory)
        agent.policies.mkdir()
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 8192)
        agent.start(output=writer)
        self.addCleanup(agent.kill)
        os.close(writer)
        for number in range(20):
            agent.write("a.yaml", policy("a", more=f"unknown{number}: 1\n"))
            agent.wait_for(
                lambda s, n=number: f"unknown{n}" in str(s["policies"]["lastReload"]["errors"]),
                f"error {number} is told")
        self.wait_for_an_audit(agent)
        with os.fdopen(reader, errors="replace") as output:
            first = os.read(output.fileno(), 65536).decode()
            agent.write("a.yaml", policy("a"))
            agent.wait_for_modes({"a": "Audit"})
            self.assert_ends(agent)
            lines = (first + output.read()).splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        self.assertTrue(all(line.startswith(("{", "pagewarden: ")) for line in lines), lines)
        self.assertIn("stopped", events[-1]["text"])
        self.assertLess(len(events), events[-1]["sequence"])  # some were left out


class TheMachine(HostileCase):
    def test_a_clock_that_is_set_back_stops_nothing(self):
        clock = self.directory / "clock"
        clock.write_text("0", encoding="ascii")
        agent = self.agent(environment={"LD_PRELOAD": str(TOOLS / "libset-clock.so"),
                                        "SET_CLOCK": str(clock)})
        self.wait_for_an_audit(agent)
        time_before = agent.status()["time"]
        clock.write_text("-7200", encoding="ascii")
        agent.wait_for(lambda s: s["time"] < time_before, "it has seen the new time")
        self.wait_for_an_audit(agent)
        agent.write("a.yaml", policy("a"))
        agent.wait_for_modes({"a": "Audit"})
        (agent.policies / "a.yaml").unlink()
        agent.wait_for_modes({})

    def test_a_full_disk_is_told_for_as_long_as_it_is_full(self):
        state = self.directory / "state"
        state.mkdir(mode=0o700)
        harness.run_checked(["mount", "-t", "tmpfs", "-o", "size=12k,mode=700", "none", state])
        self.addCleanup(harness.run_checked, ["umount", "-l", state])
        agent = self.agent()
        for number in range(40):
            agent.write("a.yaml", policy("a", more=f"unknown{number}: 1\n"))
            agent.wait_for(
                lambda s, n=number: f"unknown{n}" in str(s["policies"]["lastReload"]["errors"]),
                f"error {number} is told")
        agent.wait_for(lambda s: "events are not kept : " in str(s["gaps"]), "the status tells")
        harness.run_checked(["mount", "-o", "remount,size=1m", state])
        agent.write("a.yaml", policy("a"))
        agent.wait_for_modes({"a": "Audit"})
        agent.wait_for(lambda s: "not kept" not in str(s["gaps"]), "the status tells no more")
        self.assert_ends(agent)
        lines = (state / "events.jsonl").read_text(encoding="utf-8").splitlines()
        kept = [json.loads(line)["sequence"] for line in lines]
        self.assertEqual(list(range(1, len(kept) + 1)), kept)

    def test_reloads_put_no_audit_off(self):
        agent = self.agent()
        for number in range(20):
            before = agent.status()["policies"]["lastReload"]["time"]
            agent.process.send_signal(signal.SIGHUP)
            agent.wait_for(lambda s, b=before: s["policies"]["lastReload"]["time"] != b,
                           f"reload {number} is made")
        before = agent.status()["agent"]["health"]["audits"]
        started = time.monotonic()
        agent.wait_for(lambda s: s["agent"]["health"]["audits"] > before, "another audit is made")
        self.assertLess(time.monotonic() - started, 10)

    def test_too_few_descriptors_are_told_and_do_not_end_it(self):
        """For each number of them: it does not start and says why, or it stays."""
        for number in range(8, 65, 4):
            with self.subTest(number=number):
                agent = Agent(self.directory, preexec=lambda n=number: resource.setrlimit(
                    resource.RLIMIT_NOFILE, (n, n)))
                agent.policies.mkdir(exist_ok=True)
                agent.start(ready=False)
                self.addCleanup(agent.process.kill)
                harness.wait_until(lambda a=agent: a.process.poll() is not None or
                                   any("in force" in line for line in a.messages),
                                   "it has started or ended")
                for _ in range(3):
                    if agent.process.poll() is None:
                        agent.process.send_signal(signal.SIGHUP)
                        time.sleep(0.1)  # not a condition: a crash may come or not
                if agent.process.poll() is None:
                    self.assert_ends(agent)
                else:
                    self.assertEqual(4, agent.process.returncode, agent.messages)
                    self.assertIn("Too many open files", "\n".join(agent.messages))


if __name__ == "__main__":
    unittest.main(verbosity=2)
