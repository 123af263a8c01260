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


    def test_hooks_attach_and_see_inside(self):
        done = subprocess.run(sandboxed(PAGEWARDEN, "audit", "--watch", "1", "--for", "2",
                                        "--hooks"),
                              capture_output=True, text=True, check=False, cwd="/")
        outside = subprocess.run([PAGEWARDEN, "audit", "--watch", "1", "--for", "2", "--hooks"],
                                 capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, outside.returncode, done.stderr)
        self.assertEqual(hook_names(done.stdout), hook_names(outside.stdout))
        self.assertIn("tp_btf/cap_capable", hook_names(done.stdout))

    def test_secrets_of_another_user_are_found(self):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
            os.chmod(directory, 0o755)
            secret = pathlib.Path(directory, "secret")
            secret.write_text(os.urandom(24).hex(), encoding="ascii")
            secret.chmod(0o644)
            program = ("import sys, time; text = open(sys.argv[1]).read(); "
                       "print(flush=True); time.sleep(60)")
            with subprocess.Popen(["/usr/bin/python3", "-c", program, secret], user="nobody",
                                  stdout=subprocess.PIPE) as holder:
                try:
                    holder.stdout.readline()
                    done = subprocess.run(
                        sandboxed(PAGEWARDEN, "verify", "--pid", holder.pid,
                                  "--secret-text-file", secret), capture_output=True, text=True,
                        check=False, cwd="/")
                finally:
                    holder.kill()
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)  # found, not fenced


def hook_names(report):
    """What `audit --hooks` names as attached."""
    return set(re.findall(r"^\w[\w ]+  (\w+/\w+|bpf_iter_\w+) ", report, re.M))


POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: sandboxed}
spec:
  selector: {matchBinaries: [/usr/sbin/nginx]}
  rules:
    - match: {preset: openssl-private-keys}
"""


def has_agent():
    listed = subprocess.run([PAGEWARDEN, "--help"], capture_output=True, text=True, check=True)
    return re.search(r"^  agent ", listed.stdout, re.M) is not None


@unittest.skipUnless(os.geteuid() == 0, "not root: needs mounts and BPF")
@unittest.skipUnless(has_agent(), "this build has no `agent`")
class Agent(unittest.TestCase):
    """The daemon itself, closed; its runtime and state directories are its own."""

    def setUp(self):
        for path in WRITABLE:
            if not os.path.isdir(path):
                os.mkdir(path)
                self.addCleanup(os.rmdir, path)
        policies = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.addCleanup(policies.cleanup)
        os.chmod(policies.name, 0o755)
        pathlib.Path(policies.name, "sandboxed.yaml").write_text(POLICY, encoding="utf-8")
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        name = f"pagewarden-test-{os.getpid()}"
        self.manager.bind("\0" + name)
        self.manager.settimeout(DEADLINE_SECONDS)
        self.agent = subprocess.Popen(
            sandboxed(PAGEWARDEN, "agent", "--no-listen", "--policy-dir", policies.name),
            env={**os.environ, "NOTIFY_SOCKET": "@" + name, "WATCHDOG_USEC": "60000000"},
            stdout=subprocess.DEVNULL, cwd="/")
        self.addCleanup(self.end)

    def end(self):
        self.agent.kill()
        self.agent.wait()

    def inside(self, path):
        return pathlib.Path(f"/proc/{self.agent.pid}/root{path}")

    def wait_until_ready(self):
        while b"READY=1" not in self.manager.recv(4096).split(b"\n"):
            pass

    def get(self, target):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(DEADLINE_SECONDS)
            client.connect(str(self.inside("/run/pagewarden/agent.sock")))
            client.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n"
                           "Connection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()

    def test_it_publishes_audits_answers_and_ends(self):
        self.wait_until_ready()
        image = self.inside("/run/pagewarden/policy.image").stat()
        self.assertEqual((image.st_uid, image.st_mode & 0o777), (0, 0o644))
        deadline = time.monotonic() + DEADLINE_SECONDS
        metrics = ""
        while "pagewarden_cgroup_locked_bytes" not in metrics and time.monotonic() < deadline:
            time.sleep(0.5)
            metrics = self.get("/metrics")
        self.assertRegex(metrics, r"pagewarden_config_last_reload_successful 1\b")
        self.assertRegex(metrics, r'pagewarden_policy_info\{[^}]*policy="sandboxed"')
        self.assertRegex(metrics, r"pagewarden_bpf_program_attached\{[^}]*\} 1\b")
        self.agent.terminate()
        self.assertEqual(self.agent.wait(DEADLINE_SECONDS), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
