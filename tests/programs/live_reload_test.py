#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A running process takes up modes, rules and options that are published later: under
load in threads, in a sandbox, after fork, in a chroot as another user.

    tests/programs/live_reload_test.py PAGEWARDEN PROGRAM"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

PAGEWARDEN = PROGRAM = ""
FLIPS = 200
SECONDS = 10  # a machine under load; what is waited for takes milliseconds


def policy(mode="Enforce", rules=("live_first",), extra=""):
    text = ("apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: live}\n"
            f"spec:\n  mode: {mode}\n  selector: {{matchBinaries: [{PROGRAM}]}}\n{extra}  rules:\n")
    for rule in rules:
        text += f"    - name: {rule.replace('_', '-')}\n      match: {{during: [{rule}]}}\n"
    return text


BOTH = ("live_first", "live_second")


def states():
    return [policy(), policy("Audit"), policy(rules=BOTH), policy(rules=BOTH[::-1]),
            policy("Disabled"), policy(rules=("live_second",))]


class LiveReloadTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pagewarden-live-"))
        self.process = None
        # What starts under it has hooks for both functions.
        self.environment = self.publish(policy(rules=BOTH))

    def tearDown(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()
        subprocess.run(["rm", "-r", str(self.folder)], check=True)

    def publish(self, text):
        source = self.folder / "policy.yaml"
        source.write_text(text, encoding="utf-8")
        done = subprocess.run([PAGEWARDEN, "policy", "compile", source, "-o",
                               self.folder / "run", "--live"], capture_output=True, text=True,
                              check=True)
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    def start(self, *how):
        self.process = subprocess.Popen(
            [PROGRAM, "3", *how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **self.environment})
        self.pid = int(self.process.stdout.readline().split()[1])

    def finish(self):
        self.process.stdin.close()
        self.assertEqual(self.process.wait(60), 0)

    def shim(self):
        report = json.loads(subprocess.run(
            [PAGEWARDEN, "audit", "--json"], capture_output=True, text=True, check=False).stdout)
        for cgroup in report["cgroups"]:
            for process in cgroup["processes"]:
                if process["pid"] == self.pid:
                    return process["shim"]
        self.fail("the audit does not show the process")

    def wait_for(self, what):
        end = time.monotonic() + SECONDS
        while True:
            shim = self.shim()
            if what(shim):
                return shim
            self.assertIsNone(self.process.poll(), "the process has ended")
            self.assertLess(time.monotonic(), end, shim)

    def in_force(self, shim):
        return {rule["name"].replace("-", "_") for rule in shim["rules"] if rule.get("inForce", True)}

    def follow(self):
        """What each state looks like, one after the other."""
        self.wait_for(lambda s: s["mode"] == "Enforce" and self.in_force(s) == set(BOTH))
        self.publish(policy())
        self.wait_for(lambda s: s["mode"] == "Enforce" and self.in_force(s) == {"live_first"})
        self.publish(policy("Audit"))
        self.wait_for(lambda s: s["mode"] == "Audit")
        self.publish(policy(rules=BOTH))
        shim = self.wait_for(lambda s: self.in_force(s) == set(BOTH))
        self.assertEqual(shim["rulesWaiting"], 0)
        self.publish(policy("Disabled"))
        self.wait_for(lambda s: s["mode"] == "Disabled" and s["uncovered"] == "disabled")
        self.publish(policy(rules=("live_second",)))
        self.wait_for(lambda s: s["mode"] == "Enforce" and self.in_force(s) == {"live_second"}
                      and s.get("uncovered") is None)

    def test_follows_in_threads(self):
        self.start()
        self.follow()
        self.finish()

    def test_follows_in_a_sandbox(self):
        self.start("strict")
        self.follow()
        self.finish()

    def test_a_fork_child_follows(self):
        self.start("fork")
        self.follow()
        self.finish()

    def test_follows_in_a_chroot_as_another_user(self):
        self.start("demote")
        self.follow()
        self.finish()

    def test_many_flips_under_load(self):
        self.start()
        flips = states()
        for flip in range(FLIPS):
            self.publish(flips[flip % len(flips)])
            self.assertIsNone(self.process.poll(), f"ended at flip {flip}")
        self.publish(policy(rules=BOTH))
        shim = self.wait_for(lambda s: self.in_force(s) == set(BOTH) and s["mode"] == "Enforce")
        self.assertGreater(shim["generation"], FLIPS)
        for rule in shim["rules"]:
            self.assertGreater(rule["totalAllocations"], 0, rule)
            self.assertLessEqual(rule["liveAllocations"], 64, rule)  # three threads' at most
        self.assertFalse(any(shim["violations"].values()), shim["violations"])
        self.finish()

    def test_a_rule_for_an_unknown_function_waits(self):
        self.start()
        self.publish(policy(rules=("live_first", "nobody_knows_this")))
        shim = self.wait_for(lambda s: s["rulesWaiting"] == 1)
        self.assertIn("live_first", self.in_force(shim))
        self.finish()

    def test_a_damaged_image_is_refused(self):
        self.start()
        before = self.wait_for(lambda s: s["mode"] == "Enforce")
        window = self.folder / "run" / "policy.image"
        with open(window, "r+b") as file:
            file.seek(64)
            word = int.from_bytes(file.read(8), "little")
            file.seek(64)  # a place in the middle of an image
            file.write(((word >> 32) + 1 << 32 | 3).to_bytes(8, "little"))
        shim = self.wait_for(lambda s: s.get("imagesRefused") == 1)
        self.assertEqual(shim["generation"], before["generation"])
        self.assertEqual(self.in_force(shim), set(BOTH))
        self.publish(policy("Audit"))
        self.wait_for(lambda s: s["mode"] == "Audit")
        self.finish()


if __name__ == "__main__":
    PAGEWARDEN, PROGRAM = map(os.path.abspath, sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main()
