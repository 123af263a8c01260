#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An agent with --max-mode at the host's place: what `run`, `audit` and `policy explain` make
of it, while it runs, hangs, and is gone."""

import json
import os
import pathlib
import signal
import subprocess
import threading
import unittest

import harness
from agents import Agent
from pagewarden import PAGEWARDEN

RUNTIME = pathlib.Path("/run/pagewarden")  # of the mount namespace
POLICY = """apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: sleepers}}
spec:
  mode: Enforce
  selector: {{matchBinaries: [{binary}]}}
  rules:
    - name: everything
      match: {{all: true}}
"""
SLEEP = os.path.realpath("/bin/sleep")


@harness.needs_root
class AgentModeTest(unittest.TestCase):
    def setUp(self):
        self.setup = self.enterContext(harness.SetUp("agent-mode"))
        policies = RUNTIME / "policy.d"
        policies.mkdir(parents=True, exist_ok=True)
        (policies / "sleep.yaml").write_text(POLICY.format(binary=SLEEP))
        self.process = None
        self.addCleanup(self.end)

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def agent(self, *options):
        agent = Agent(self.setup.directory, *options, policy_dirs=[RUNTIME / "policy.d"])
        agent.runtime, agent.socket = RUNTIME, RUNTIME / "agent.sock"
        return self.enterContext(agent)

    def sleep(self, *options):
        """A fenced sleeper in the cgroup; its pid."""
        self.process = subprocess.Popen([str(PAGEWARDEN), "run", *options, "--", SLEEP, "1000"],
                                        preexec_fn=self.setup.cgroup.enter)
        pid = self.process.pid
        harness.wait_until(lambda: os.readlink(f"/proc/{pid}/exe") == SLEEP
                           and harness.read_status(pid)["State"][0] == "S", "it sleeps")
        return pid

    def row(self, pid, *options):
        report = json.loads(harness.run_checked(
            [PAGEWARDEN, "audit", "--json", "--pid", pid, *options]))
        row, = [p for c in report["cgroups"] for p in c["processes"]]
        return row

    def coverage(self, pid, *options):
        return self.row(pid, *options)["coverage"]

    def explain(self, pid):
        return harness.run_checked([PAGEWARDEN, "policy", "explain", "--pid", pid])

    def assert_audited(self, pid, *options):
        self.assertEqual(self.coverage(pid, *options),
                         {"policy": "sleepers", "mode": "Audit", "state": "covered"})

    def test_run_keeps_to_it_from_the_start(self):
        self.agent("--max-mode", "Audit")
        pid = self.sleep()
        shim = self.row(pid)["shim"]
        self.assertEqual(shim["mode"], "Audit")
        self.assertEqual(sum(arena["usedBytes"] for arena in shim["arenas"]), 0, shim)

    def test_audit_and_explain_know_it(self):
        agent = self.agent("--max-mode", "Audit")
        pid = self.sleep()
        self.assert_audited(pid)
        explained = self.explain(pid)
        self.assertIn("mode Audit, lowered from Enforce by the --max-mode of the agent that runs",
                      explained)
        self.assertIn("\n  covered: the shim is active in it, in mode Audit", explained)
        agent.process.send_signal(signal.SIGSTOP)  # nothing waits for it to answer
        self.assert_audited(pid)

    def test_none_is_left_of_an_agent_that_was_killed(self):
        agent = self.agent("--max-mode", "Audit")
        pid = self.sleep()
        agent.kill()
        self.assertTrue((RUNTIME / "agent.lock").exists())
        self.assertEqual(self.coverage(pid)["reason"], "mode_differs")
        self.assert_audited(pid, "--max-mode", "Audit")

    def test_a_watch_follows_the_agent(self):
        self.sleep("--mode", "Audit")
        watch = subprocess.Popen([str(PAGEWARDEN), "audit", "--watch", "0.1", "--json", "--cgroup",
                                  self.setup.cgroup.path], stdout=subprocess.PIPE, text=True)
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)
        lines = []
        threading.Thread(target=lambda: lines.extend(watch.stdout), daemon=True).start()

        harness.wait_until(lambda: any("mode_differs" in line for line in list(lines)),
                           "the watch tells that the mode differs")
        agent = self.agent("--max-mode", "Audit")
        self.assertEqual(agent.modes(), {"sleepers": "Audit"})
        harness.wait_until(lambda: '"state":"covered"' in list(lines)[-1],
                           "a report of the watch has it covered")


if __name__ == "__main__":
    harness.main_with_own_run()
