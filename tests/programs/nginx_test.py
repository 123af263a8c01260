#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""nginx's TLS keys: in unlocked heap when plain, all fenced under `pagewarden run`."""

import unittest

import harness
import pagewarden
from credentials import make_keys
from nginx import Nginx

WORKERS = 2


@harness.needs_root
class NginxTest(unittest.TestCase):

    def setUp(self):
        self.setup_ = self.enterContext(harness.SetUp("nginx"))
        self.keys = make_keys(self.setup_.directory)

    def start(self, fenced):
        return self.enterContext(Nginx(self.setup_, self.keys, WORKERS, fenced))

    def test_plain_is_unlocked(self):
        nginx = self.start(fenced=False)
        nginx.load(200)
        for key in self.keys:
            with self.subTest(key=key.kind):
                code, report = pagewarden.verify(self.setup_.cgroup, [key])
                self.assertEqual(code, 1)
                self.assertGreater(report["summary"]["copies"], 0)
                self.assertEqual(report["summary"]["locked"], 0)
                self.assertEqual(report["summary"]["fenced"], 0)
                self.assert_found_in(report, nginx.pids())

    def test_fenced_stays_fenced(self):
        nginx = self.start(fenced=True)
        self.assert_all_fenced(nginx, "at start")
        nginx.load(200)
        self.assert_all_fenced(nginx, "after 200 requests")
        nginx.reload()
        self.assert_all_fenced(nginx, "after the reload")
        nginx.load(50)
        self.assert_all_fenced(nginx, "after 50 requests more")

    def test_audit_shows_the_fence(self):
        nginx = self.start(fenced=True)
        nginx.load(50)
        entry = pagewarden.audit(self.setup_.cgroup)
        processes = {process["pid"]: process for process in entry["processes"]}
        self.assertEqual(sorted(processes), self.setup_.cgroup.pids())
        for pid in nginx.pids():
            self.assert_active(processes[pid])
            self.assertEqual(processes[pid]["lockedBytes"], harness.locked_bytes(pid))
        self.assertEqual(entry["lockedBytes"], sum(map(harness.locked_bytes, processes)))
        self.assertEqual(entry["limitMinBytes"], harness.tightest_limit(processes))

    def assert_active(self, process):
        shim = process["shim"]
        self.assertEqual((shim["policy"], shim["mode"]), ("nginx-tls-keys", "Enforce"))
        self.assertNotIn("uncovered", shim)
        self.assertGreater(sum(arena["liveAllocations"] for arena in shim["arenas"]), 0)
        for arena in shim["arenas"]:
            self.assertEqual(arena["fallbacks"], 0)
            self.assertEqual(arena["lockedBytes"], arena["capacityBytes"])
        self.assertGreater(process["lockedBytes"], 0)

    def assert_all_fenced(self, nginx, when):
        for key in self.keys:
            with self.subTest(key=key.kind, when=when):
                code, report = pagewarden.verify(self.setup_.cgroup, [key])
                outside = [copy for copy in report["copies"] if not copy["fenced"]]
                self.assertEqual(outside, [])
                self.assertEqual(code, 0)
                self.assert_found_in(report, nginx.pids())

    def assert_found_in(self, report, pids):
        """The key is in every process: a process without copies would prove nothing."""
        self.assertEqual({copy["pid"] for copy in report["copies"]}, set(pids))


if __name__ == "__main__":
    harness.main()
