#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""10,000 requests against a real nginx under `pagewarden run` while its policy changes:
Audit, Enforce, a new rule, a broken file, a fixed file. No request fails, and the audit shows
each state within two seconds; the broken file is reported with its place and changes nothing."""

import os
import pathlib
import sys
import threading
import time
import unittest

import ab
import harness
import pagewarden
from agents import Agent
from credentials import make_keys
from nginx import NGINX, Nginx

REQUESTS = int(os.environ.get("PAGEWARDEN_REQUESTS", "10000"))
SECONDS = 2.0
POLICIES = pathlib.Path("/run/pagewarden/policy.d")
FILE = POLICIES / "nginx.yaml"

NEW_RULE = """    - name: key-parsing
      match: {during: [PEM_read_bio_PrivateKey]}
"""


def text(mode, more="", key="mode"):
    return f"""apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: edge}}
spec:
  {key}: {mode}
  selector: {{matchBinaries: [{NGINX}]}}
  rules:
    - name: keys
      match: {{preset: openssl-private-keys}}
{more}"""


class DropInNginx(Nginx):
    """Under the policy of the drop-in directory."""

    def __init__(self, setup, keys):
        super().__init__(setup, keys, workers=2, fenced=False)
        self.command = [str(pagewarden.PAGEWARDEN), "run", "--", *self.command]


class Load(threading.Thread):
    """Requests, four at a time, until it is stopped."""

    BATCH = 200

    def __init__(self, url):
        super().__init__()
        self.url = url
        self.requests = 0
        self.failures = []
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set() and not self.failures:
            try:
                ab.load(self.url, self.BATCH)
                self.requests += self.BATCH
            except harness.HarnessError as error:
                self.failures.append(str(error))

    def stop(self):
        self.stopped.set()
        self.join()


@harness.needs_root
class ReloadUnderLoad(unittest.TestCase):
    def setUp(self):
        POLICIES.mkdir(parents=True, exist_ok=True)
        self.setup = self.enterContext(harness.SetUp("reload"))
        FILE.write_text(text("Audit"), encoding="utf-8")
        self.agent = Agent(self.setup.directory, policy_dirs=[POLICIES])
        self.agent.runtime = pathlib.Path("/run/pagewarden")
        self.agent.socket = self.agent.runtime / "agent.sock"
        self.enterContext(self.agent)
        self.nginx = self.enterContext(DropInNginx(self.setup, make_keys(self.setup.directory)))

    def shims(self):
        """(mode, rules) of each worker, as the audit shows it. The master asks for no memory
        meanwhile, and a process takes up what is new when it does."""
        workers = self.nginx.workers()
        shims = [process.get("shim") for process in pagewarden.audit(self.setup.cgroup)["processes"]
                 if process["pid"] in workers]
        self.assertEqual(2, len(shims))
        return {(shim["mode"], tuple(rule["name"] for rule in shim["rules"]
                                     if rule.get("inForce", True) and not rule.get("byName")))
                for shim in shims}

    def wait_for(self, mode, rules):
        """How long the audit took to show it in all workers."""
        started = time.monotonic()
        while self.shims() != {(mode, rules)}:
            if time.monotonic() - started > harness.DEADLINE_SECONDS:
                self.fail(f"{self.shims()} is not {mode} {rules}: {self.agent.messages[-5:]}")
            time.sleep(0.05)
        return time.monotonic() - started

    def replace(self, content):
        new = POLICIES / ".new"
        new.write_text(content, encoding="utf-8")
        new.rename(FILE)

    def test_no_request_fails(self):
        load = Load(f"https://127.0.0.1:{self.nginx.port}/")
        self.wait_for("Audit", ("keys",))
        pids = self.nginx.pids()
        took = {}
        load.start()
        try:
            while not took or load.requests < REQUESTS:
                self.round(took)
                self.assertEqual([], load.failures)
        finally:
            load.stop()
        self.assertEqual([], load.failures)
        self.assertEqual(pids, self.nginx.pids(), "a process of nginx was replaced")
        print(f"{load.requests} requests, none failed", file=sys.stderr)
        for name, seconds in took.items():
            print(f"{name}: visible within {max(seconds):.2f} s ({len(seconds)} times)",
                  file=sys.stderr)
            self.assertLess(max(seconds), SECONDS, name)

    def round(self, took):
        def step(name, seconds):
            took.setdefault(name, []).append(seconds)

        self.replace(text("Audit"))
        step("Audit", self.wait_for("Audit", ("keys",)))
        self.replace(text("Enforce"))
        step("Enforce", self.wait_for("Enforce", ("keys",)))
        self.replace(text("Enforce", NEW_RULE))
        step("new rule", self.wait_for("Enforce", ("keys", "key-parsing")))
        self.replace(text("Audit", key="mdoe"))
        started = time.monotonic()
        status = self.agent.wait_for(
            lambda s: not s["policies"]["lastReload"]["ok"] and s, "the broken file is told")
        step("broken file", time.monotonic() - started)
        [error] = status["policies"]["lastReload"]["errors"]
        self.assertTrue(error.startswith(f"{FILE}:5:3: "), error)
        self.assertEqual({("Enforce", ("keys", "key-parsing"))}, self.shims())
        self.replace(text("Audit", NEW_RULE))
        step("fixed file", self.wait_for("Audit", ("keys", "key-parsing")))


if __name__ == "__main__":
    harness.main_with_own_run()
