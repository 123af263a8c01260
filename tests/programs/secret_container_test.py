#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Secrets of processes that see other files than the agent: a mount namespace with a root of its
own, as a container has, a plain chroot, and a root that tries to lead the agent out of it."""

import os
import pathlib
import secrets
import subprocess
import unittest

import harness
from agents import Agent

PYTHON = os.path.realpath("/usr/bin/python3")  # as the roots have it
PATH = "/run/secrets/token"

# Holds what the file says, in memory of its own, and never ends.
HOLDER = f"""
import time
text = bytearray(open({PATH!r}, "rb").read().strip())
print("held", flush=True)
time.sleep(600)
"""

POLICY = f"""apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: pods}}
spec:
  mode: Audit
  selector: {{matchBinaries: [{PYTHON}]}}
  rules:
    - match: {{preset: openssl-private-keys}}
  secrets: [{PATH}]
"""

# Becomes a process whose root is ROOT. The old one is gone from its mount namespace.
PIVOT = """
import ctypes, os, subprocess, sys
root, command = sys.argv[1], sys.argv[2:]
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
subprocess.run(["mount", "--rbind", root, root], check=True)
os.chdir(root)
subprocess.run(["pivot_root", ".", "old"], check=True)
os.chdir("/")
assert ctypes.CDLL(None).umount2(b"/old", 2) == 0  # MNT_DETACH; umount(8) needs /proc
os.execv(command[0], command)
"""


# Of a new user namespace's user 33, once somebody has mapped its users.
MAPPED = """
import ctypes, os, sys
assert ctypes.CDLL(None).unshare(0x10000000) == 0  # CLONE_NEWUSER
print("here", flush=True)
sys.stdin.readline()
os.setgid(33)
os.setuid(33)
os.execv(sys.argv[1], sys.argv[1:])
"""


@harness.needs_root
class SecretContainerTest(unittest.TestCase):
    def setUp(self):
        self.setup_ = self.enterContext(harness.SetUp("secret-container"))
        folder = self.setup_.directory / "agent"
        folder.mkdir()
        self.agent = self.enterContext(
            Agent(folder, "--cgroup", self.setup_.cgroup.path, "--verify-every", "2s"))

    def root(self, name):
        """A directory with what Python needs, and a token of its own."""
        root = self.setup_.directory / name
        for folder in ("old", "run/secrets", "dev", "proc"):
            (root / folder).mkdir(parents=True)
        for folder in ("usr", "lib", "lib64", "bin", "sbin", "etc"):
            source = f"/{folder}"
            if os.path.islink(source):
                (root / folder).symlink_to(os.readlink(source))
            else:
                (root / folder).mkdir()
                harness.run_checked(["mount", "--bind", source, root / folder])
                self.addCleanup(harness.run_checked, ["umount", "-l", root / folder])
        token = secrets.token_hex(20)
        self.write(root / PATH.lstrip("/"), token)
        return root, token

    @staticmethod
    def write(path, text):
        path.write_text(text + "\n", encoding="ascii")
        path.chmod(0o600)

    def start(self, command, prepare=None):
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True,
                                   preexec_fn=self.setup_.cgroup.enter)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        if prepare:
            prepare(process)
        self.assertEqual("held\n", process.stdout.readline())
        return process.pid

    def in_namespace(self, root):
        return self.start(["unshare", "--mount", PYTHON, "-c", PIVOT, root,
                           PYTHON, "-c", HOLDER])

    def in_chroot(self, root):
        return self.start(["chroot", root, PYTHON, "-c", HOLDER])

    def report(self, condition, what, policy=POLICY):
        self.agent.rename("pods.yaml", policy)
        return self.agent.wait_for(
            lambda s: s["secrets"]["checked"] and condition(s["secrets"]) and s["secrets"], what)

    def test_each_process_is_searched_for_what_its_own_file_says(self):
        first, second, third = map(self.root, ("first", "second", "third"))
        pids = {self.in_namespace(first[0]), self.in_namespace(second[0]),
                self.in_chroot(third[0])}
        # Of a chroot in the agent's own mount namespace, the kernel shows the whole path.
        policy = POLICY.replace(f"[{PYTHON}]", f"[{PYTHON}, {third[0]}{PYTHON}]")
        report = self.report(
            lambda r: {copies["pid"] for copies in r["copies"]} >= pids, "all three hold theirs",
            policy)
        self.assertEqual([], report["errors"])
        for copies in report["copies"]:
            self.assertEqual(PATH, copies["file"])
            self.assertGreater(copies["unfenced"], 0)
        said = "\n".join(self.agent.lines) + self.agent.get("/v1/status")[1]
        for _, token in (first, second, third):
            self.assertNotIn(token, said)

    def test_a_link_does_not_lead_out_of_the_root(self):
        root, _ = self.root("hostile")
        outside = self.setup_.directory / "outside"
        self.write(outside, secrets.token_hex(20))
        pid = self.in_namespace(root)
        path = root / PATH.lstrip("/")
        path.unlink()
        path.symlink_to(f"../../../../../../..{outside}")  # as the host sees it
        report = self.report(lambda r: r["errors"], "the file is missing")
        self.assertEqual(["missing"], [error["reason"] for error in report["errors"]])
        self.assertIn(f"(as process {pid} sees it)", report["errors"][0]["text"])

    def test_one_that_cannot_be_read_does_not_hide_the_others(self):
        good, bad = self.root("good"), self.root("bad")
        pids = [self.in_namespace(good[0]), self.in_namespace(bad[0])]
        token = bad[0] / PATH.lstrip("/")
        token.unlink()
        os.mkfifo(token)
        report = self.report(lambda r: r["errors"] and r["copies"], "one of two is checked")
        self.assertEqual(["untrusted"], [error["reason"] for error in report["errors"]])
        self.assertEqual({pids[0]}, {copies["pid"] for copies in report["copies"]})

    def test_the_root_of_a_user_namespace_may_own_the_file(self):
        """As in a pod with `hostUsers: false`; the process itself is another user there."""
        path = self.setup_.directory / "token"
        self.write(path, secrets.token_hex(20))
        os.chown(path, 300000, 300000)
        path.chmod(0o644)
        pid = self.start(
            [PYTHON, "-c", MAPPED, PYTHON, "-c", HOLDER.replace(PATH, str(path))],
            self.map_users)
        self.assertEqual("300033", harness.read_status(pid)["Uid"].split()[0])
        report = self.report(lambda r: r["copies"] or r["errors"], "it was searched",
                             POLICY.replace(f"[{PATH}]", f"[{path}]"))
        self.assertEqual([], report["errors"])
        self.assertEqual([pid], [copies["pid"] for copies in report["copies"]])

    def map_users(self, process):
        self.assertEqual("here\n", process.stdout.readline())
        for kind in ("uid", "gid"):
            pathlib.Path(f"/proc/{process.pid}/{kind}_map").write_text("0 300000 65536\n",
                                                                       encoding="ascii")
        process.stdin.write("go\n")
        process.stdin.flush()


if __name__ == "__main__":
    harness.main()
