#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Under the restrictions of its unit the agent sees what it sees without them.

No service manager runs here: tests/deploy/sandbox.c applies the unit's capabilities, system
calls, read-only mounts and limits, as read from the unit file."""

import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PAGEWARDEN_BUILD", ROOT / "build"))
PAGEWARDEN = BUILD / "agent" / "pagewarden"
SANDBOX = BUILD / "tests" / "deploy" / "sandbox"
UNIT = (BUILD / "deploy" / "pagewarden-agent.service").read_text(encoding="utf-8")
WRITABLE = ["/run/pagewarden", "/var/lib/pagewarden", "/tmp"]
DEADLINE_SECONDS = 30


def setting(name):
    (value,) = re.findall(rf"^{name}=(.+)$", UNIT, re.M)
    return value.split()


def calls_of(group):
    """System calls of a group of systemd, and of the groups in it."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", group],
                            capture_output=True, text=True, check=True).stdout
    for line in map(str.strip, listed.splitlines()[1:]):
        if line.startswith("@"):
            yield from calls_of(line)
        elif line and not line.startswith("#"):
            yield line


def filter_of_unit():
    names = set()
    for word in setting("SystemCallFilter"):
        names |= set(calls_of(word)) if word.startswith("@") else {word}
    return names


def sandboxed(*command, calls=None, capabilities=None):
    capabilities = setting("CapabilityBoundingSet") if capabilities is None else capabilities
    return [str(SANDBOX), ",".join(capabilities).lower(),
            ",".join(sorted(calls or filter_of_unit())), *WRITABLE, "--", *map(str, command)]


@unittest.skipUnless(os.geteuid() == 0, "not root: needs mounts and BPF")
class Sandbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for path in WRITABLE:
            if not os.path.isdir(path):
                os.mkdir(path)
                cls.addClassCleanup(os.rmdir, path)

    def run_audit(self, **closed):
        done = subprocess.run(sandboxed(PAGEWARDEN, "audit", "--json", "--all", **closed),
                              capture_output=True, text=True, check=False, cwd="/")
        return done.returncode, json.loads(done.stdout), done.stderr

    def test_it_is_closed(self):
        for line in ["touch /etc/x", "touch /proc/self/oom_score_adj", "unshare -m true",
                     "mount -t tmpfs none /tmp", "kill -0 2 && su nobody -c true"]:
            done = subprocess.run(sandboxed("/bin/sh", "-c", line), capture_output=True,
                                  check=False)
            self.assertNotEqual(done.returncode, 0, line)
        done = subprocess.run(sandboxed("/bin/sh", "-c", "touch /run/pagewarden/x"), check=False)
        self.assertEqual(done.returncode, 0)

    def test_audit_sees_as_much_as_outside(self):
        outside = subprocess.run([PAGEWARDEN, "audit", "--json", "--all"], capture_output=True,
                                 text=True, check=False)
        code, inside, messages = self.run_audit()
        expected = json.loads(outside.stdout)
        self.assertEqual((code, messages), (outside.returncode, outside.stderr))
        self.assertEqual(inside["source"], expected["source"])
        own = str(os.getpid())
        for report in (inside, expected):
            rows = [row for cgroup in report["cgroups"] for row in cgroup["processes"]]
            self.assertIn(own, {str(row["pid"]) for row in rows})
            (row,) = [row for row in rows if str(row["pid"]) == own]
            self.assertEqual(row["exe"], os.path.realpath("/proc/self/exe"))

    def test_without_bpf_it_still_audits_from_proc(self):
        _, inside, _ = self.run_audit(calls=filter_of_unit() - {"bpf"})
        self.assertIn("proc", inside["source"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
