#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kind of process that a policy selects and that is not covered, made for real, and
what audit, `policy explain` and a running agent say of it. The host's own policies and images
play no part."""

import collections
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import exposition
import harness
from agents import Agent
from pagewarden import PAGEWARDEN
from uncovered_programs import EXCEPTED, OUTCOMES, Programs

# Reasons that are made nowhere here, and why.
NOT_HERE = {"unreadable": "nothing is out of root's reach without a security module"}


class UncoveredTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="uncovered-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        os.chmod(cls.dir, 0o755)
        cls.programs = Programs(cls.dir)
        cls.processes = cls.programs.processes
        cls.addClassCleanup(cls.programs.end_all)
        cls.programs.start_all()
        harness.wait_until(cls.all_have_started, "none is starting")

    @classmethod
    def all_have_started(cls):
        cls.report = cls.audit()
        return all(process.get("coverage", {}).get("reason") != "starting"
                   for cgroup in cls.report["cgroups"] for process in cgroup["processes"])

    @classmethod
    def audit(cls, *options):
        pids = [word for process in cls.processes.values() for word in ("--pid", str(process.pid))]
        done = subprocess.run([str(PAGEWARDEN), "audit", "--json", *pids, *options],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise harness.HarnessError(f"audit : exit {done.returncode}: {done.stderr}")
        cls.messages = done.stderr
        return json.loads(done.stdout)

    def row(self, name):
        pid = self.processes[name].pid
        for cgroup in self.report["cgroups"]:
            for process in cgroup["processes"]:
                if process["pid"] == pid:
                    return process
        return self.fail(f"{name} is not in the report")

    def explain(self, name, *options):
        done = subprocess.run([str(PAGEWARDEN), "policy", "explain", "--pid",
                               str(self.processes[name].pid), *options], capture_output=True,
                              text=True, check=False)
        self.assertIn(done.returncode, (0, 1), f"{name}: {done.stderr}")
        return done.stdout

    def test_each_has_its_reason(self):
        for name, (state, reason, words) in OUTCOMES.items():
            with self.subTest(name):
                row = self.row(name)
                coverage = row.get("coverage", {})
                self.assertEqual((coverage.get("state"), coverage.get("reason", "")),
                                 (state, reason), coverage)
                self.assertEqual(coverage["policy"], "fence-all")
                if state == "uncovered":
                    self.assertEqual(row["shim"]["uncovered"], reason)
                for word in words:
                    self.assertIn(word, coverage["text"])

    def test_every_reason_is_made(self):
        """Those of the one table, as docs/coverage.md has it."""
        text = (harness.ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
        known = {line.split("`")[1] for line in text.splitlines()
                 if line.startswith("| `") and line.split("|")[2].strip() in ("uncovered", "pending")}
        made = {reason for _, reason, _ in OUTCOMES.values() if reason} | {"starting"}
        self.assertEqual(made | set(NOT_HERE), known)

    def test_one_that_has_just_started_is_looked_at_again(self):
        def seen():
            report = self.audit("--pid", str(late.pid))
            return next(process["coverage"] for cgroup in report["cgroups"]
                        for process in cgroup["processes"] if process["pid"] == late.pid)

        for _ in range(5):  # an audit may take its two seconds
            late = subprocess.Popen([str(self.dir / "not_preloaded")], stdin=subprocess.DEVNULL)
            self.addCleanup(late.wait)
            self.addCleanup(late.kill)
            first = seen()
            if first["reason"] == "starting":
                break
        self.assertEqual((first["state"], first["reason"]), ("pending", "starting"))
        harness.wait_until(lambda: seen()["reason"] == "not_preloaded", "it is uncovered")

    def test_excepted_is_not_uncovered(self):
        self.assertNotIn("coverage", self.row(EXCEPTED))

    def counts(self):
        states = collections.Counter(state for state, _, _ in OUTCOMES.values())
        return {"selected": len(OUTCOMES), **states}

    def test_counts(self):
        self.assertEqual(self.report["coverage"], self.counts())

    def test_a_finding_each(self):
        pids = {finding["pid"]: finding for finding in self.report["findings"]
                if finding["code"] == "uncovered"}
        self.assertEqual(len(pids), self.counts()["uncovered"])
        self.assertEqual(pids[self.processes["not_preloaded"].pid]["severity"], "warning")
        self.assertEqual(pids[self.processes["shadowed"].pid]["severity"], "error")

    def test_explain_says_the_same(self):
        for name in self.processes:
            with self.subTest(name):
                explained = json.loads(self.explain(name, "--json"))["coverage"]
                self.assertEqual(explained, self.row(name).get("coverage"))

    def test_explain_says_it_to_people(self):
        covered = self.explain("covered")
        self.assertRegex(covered, r"(?m)^  covered: the shim is active in it, in mode Enforce")
        uncovered = self.explain("lock_failed")
        self.assertRegex(uncovered, r"(?m)^  uncovered \(lock_failed\): it has the shim, which "
                                    r"could lock .*; raise its RLIMIT_MEMLOCK to \d+ bytes: ")
        self.assertRegex(uncovered, r"(?m)^  (what protects it all the same: |nothing else prot)")
        self.assertIn("\n  pending (mode_differs): it runs in mode Audit", self.explain("mode_differs"))
        self.assertIn("\n  no policy of this host selects it", self.explain(EXCEPTED))
        disabled = self.explain("static", "--max-mode", "Disabled")
        self.assertIn("\n  not to be fenced: the policy is Disabled", disabled)

    def test_an_agent_says_the_same(self):
        """In its metrics, and by an event each."""
        reasons = collections.Counter((state, reason) for state, reason, _ in OUTCOMES.values())
        with Agent(self.dir, policy_dirs=[self.programs.policies]) as agent:
            text = agent.get_tcp("/metrics")[1]
            pids = {process.pid for process in self.processes.values()}
            told = {event["pid"]: event for event in agent.events("uncovered")
                    if event.get("pid") in pids}
        for (state, reason), count in reasons.items():
            metric = f"pagewarden_{state}_processes"
            found = exposition.values(text, metric, policy="fence-all", reason=reason)
            with self.subTest(reason or state):
                self.assertEqual(sum(found), count if reason else 0)
        for name, (state, reason, _) in OUTCOMES.items():
            with self.subTest(name):
                event = told.get(self.processes[name].pid)
                self.assertEqual(event is not None, state == "uncovered")
                self.assertEqual(event["details"]["reason"] if event else "",
                                 reason if event else "")

    def test_protections_are_named(self):
        limited = self.row("static")["coverage"]["protections"]
        swap = pathlib.Path("/proc/swaps").read_text().splitlines()[1:]
        self.assertEqual("no swap" in limited, not swap)

    def test_a_broken_set_fails_no_audit(self):
        broken = self.programs.policies / "broken.yaml"
        broken.write_text("kind: [\n")
        os.chmod(broken, 0o644)
        self.addCleanup(broken.unlink)
        report = self.audit()
        self.assertIsNone(report["coverage"])
        self.assertIn("coverage unknown", self.messages)
        self.assertIn("broken.yaml", self.messages)


if __name__ == "__main__":
    harness.main_with_own_run()
