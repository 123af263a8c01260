# SPDX-License-Identifier: Apache-2.0
"""In the emulated machine: the units of deploy/, started by systemd as an operator does."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

DEPLOY = pathlib.Path("/usr/local/share/pagewarden/deploy")
UNITS = pathlib.Path("/etc/systemd/system")
POLICIES = pathlib.Path("/etc/pagewarden/policy.d")
KEY = "/etc/ssl/private/site.key"
SECONDS = 60  # an emulated processor is some thirty times slower

POLICY = """apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: {name}}}
spec:
  mode: {mode}
  selector: {{matchUnits: [{unit}]}}
{more}  rules:
    - match: {{preset: openssl-private-keys}}
"""
EXCEPTION = """  exceptions:
    - {matchUnits: [nginx.service], reason: a test, expires: 2999-12-31}
"""
SITE = f"""server {{
  listen 127.0.0.1:8443 ssl;
  ssl_certificate /etc/ssl/site.pem;
  ssl_certificate_key {KEY};
}}
"""
# Locks a mebibyte, and says what came of it.
LOCKER = """import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
memory = ctypes.create_string_buffer(1 << 20)
failed = libc.mlock(memory, 1 << 20)
print("locked" if not failed else os.strerror(ctypes.get_errno()), flush=True)
time.sleep(600)
"""
GREEDY = """[Service]
User=nobody
LimitMEMLOCK=64K
ExecStart=/usr/bin/python3 /checks/locker.py
"""
# As closed as services of distributions are.
CLOSED = f"""[Service]
DynamicUser=yes
LoadCredential=key:{KEY}
Environment=LD_PRELOAD=/run/pagewarden/scopes.so:/usr/local/$LIB/libpagewarden.so
LimitMEMLOCK=8M
ProtectSystem=strict
ProtectHome=yes
PrivateDevices=yes
PrivateTmp=yes
PrivateUsers=yes
ProtectProc=invisible
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
CapabilityBoundingSet=
SystemCallFilter=@system-service
SystemCallArchitectures=native
ExecStart=/usr/bin/openssl s_server -accept 127.0.0.1:8444 -cert /etc/ssl/site.pem -key ${{CREDENTIALS_DIRECTORY}}/key
"""


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done


def until(condition, what):
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {SECONDS} s: {what}")
        time.sleep(0.5)
    return found


def show(unit, name):
    return run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def policy(name, unit, mode="Enforce", more=""):
    write(POLICIES / f"{name}.yaml", POLICY.format(name=name, unit=unit, mode=mode, more=more))
    run("pagewarden", "policy", "lint")
    until(lambda: mode in [line.split()[0] for line in status().splitlines()
                           if f"AllocationPolicy {name} " in line], f"policy {name} in force")


def status():
    """Its exit code says whether something is wrong on this host."""
    return run("pagewarden", "agent", "status", check=False).stdout


def events(*options):
    lines = run("pagewarden", "events", "--since", "1h", "--json", *options).stdout.splitlines()
    return [json.loads(line) for line in lines]


def processes(unit):
    report = json.loads(run("pagewarden", "audit", "--json", check=False).stdout)
    return [process for cgroup in report["cgroups"] if cgroup["path"].endswith(f"/{unit}")
            for process in cgroup["processes"]]


def verify(unit):
    pid = show(unit, "MainPID")
    return run("pagewarden", "verify", "--pid", pid, "--children", "--secret", KEY, check=False)


def start(unit):
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", unit)


def setUpModule():
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", KEY, "-out",
        "/etc/ssl/site.pem", "-subj", "/CN=localhost", "-days", "1")
    write(pathlib.Path("/etc/nginx/sites-enabled/default"), SITE)
    write(pathlib.Path("/checks/locker.py"), LOCKER)
    write(UNITS / "greedy.service", GREEDY)
    write(UNITS / "closed.service", CLOSED)
    write(UNITS / "pagewarden-agent.service.d/watchdog.conf", "[Service]\nWatchdogSec=20\n")
    target = UNITS / "nginx.service.d/pagewarden.conf"
    target.parent.mkdir()
    shutil.copy(DEPLOY / "systemd/nginx.service.d/pagewarden.conf", target)
    run("systemctl", "daemon-reload")
    run("systemctl", "enable", "--now", "run-pagewarden.mount", "pagewarden-agent.service")


class AgentUnit(unittest.TestCase):
    def test_1_is_ready_and_says_its_state(self):
        self.assertEqual(show("pagewarden-agent", "ActiveState"), "active")
        self.assertIn("0 policies", show("pagewarden-agent", "StatusText"))
        # With the unit's capabilities alone.
        self.assertIn("guard hits by tp_btf/signal_generate", status())
        self.assertNotIn("are not seen", status())
        capabilities = run("cat", f"/proc/{show('pagewarden-agent', 'MainPID')}/status").stdout
        self.assertIn("CapEff:\t000000c000080004", capabilities)
        self.assertEqual(show("run-pagewarden.mount", "ActiveState"), "active")

    def test_2_reloads(self):
        self.addCleanup((POLICIES / "broken.yaml").unlink, missing_ok=True)
        write(POLICIES / "broken.yaml", "kind: [\n")
        run("systemctl", "reload", "pagewarden-agent")
        until(lambda: "broken.yaml:" in status(), "the broken file is told")
        (POLICIES / "broken.yaml").unlink()
        until(lambda: "broken.yaml:" not in status(), "the broken file is forgotten")

    def test_3_comes_back_when_it_hangs(self):
        """Systemd's watchdog ends it and starts it again; no event is lost."""
        before = [event["sequence"] for event in events()]
        pid = show("pagewarden-agent", "MainPID")
        os.kill(int(pid), 19)
        until(lambda: show("pagewarden-agent", "MainPID") not in (pid, "0"), "a new process")
        until(lambda: show("pagewarden-agent", "ActiveState") == "active", "it is ready again")
        after = [event["sequence"] for event in events()]
        self.assertEqual(after[:len(before)], before)
        self.assertGreater(len(after), len(before))
        self.assertEqual(show("pagewarden-agent", "NRestarts"), "1")


class Nginx(unittest.TestCase):
    """With the drop-in of deploy/, by policies that select the unit."""

    def test_1_is_fenced(self):
        policy("nginx", "nginx.service")
        start("nginx")
        done = verify("nginx")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        found = processes("nginx.service")
        self.assertEqual([process["coverage"]["state"] for process in found], ["covered"] * 2)
        run("pagewarden", "policy", "explain", "--unit", "nginx.service")

    def test_2_follows_another_mode(self):
        policy("nginx", "nginx.service", mode="Audit")
        until(lambda: run("curl", "-sk", "https://127.0.0.1:8443/") and
              "Audit" in [process["shim"]["mode"] for process in processes("nginx.service")],
              "a process in mode Audit")
        policy("nginx", "nginx.service")

    def test_3_was_never_told_to_be_unfenced(self):
        told = [event["text"] for event in events("--type", "uncovered")
                if "nginx" in event["text"] and event["raised"]]
        self.assertEqual(told, [])

    def test_4_is_left_alone_by_an_exception_of_its_unit(self):
        policy("nginx", "nginx.service", more=EXCEPTION)
        start("nginx")
        self.assertEqual(verify("nginx").returncode, 1)
        self.assertEqual([process.get("coverage") for process in processes("nginx.service")],
                         [None] * 2)
        policy("nginx", "nginx.service")
        start("nginx")
        self.assertEqual(verify("nginx").returncode, 0)


class Closed(unittest.TestCase):
    def test_a_service_in_a_sandbox_is_fenced(self):
        policy("closed", "closed.service")
        start("closed")
        until(lambda: verify("closed").returncode != 5, "the key is loaded")
        done = verify("closed")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Limits(unittest.TestCase):
    def said(self):
        return run("journalctl", "-u", "greedy", "-o", "cat", "--since", "-5min").stdout

    def test_1_a_refusal_is_told_with_its_cgroup_and_reason(self):
        start("greedy")
        until(lambda: "Cannot allocate memory" in self.said(), "mlock was refused")
        event = until(lambda: events("--type", "denial"), "the refusal is told")[-1]
        self.assertEqual(event["cgroup"], "/system.slice/greedy.service")
        self.assertEqual(event["details"]["reason"], "OVER_LIMIT")

    def test_2_the_fix_that_doctor_prints_mends_it(self):
        done = run("pagewarden", "doctor", "--unit", "greedy.service", "--json", check=False)
        fixes = [fix for finding in json.loads(done.stdout)["findings"]
                 for fix in finding.get("fixes", []) if fix.get("file", "").startswith(str(UNITS))]
        self.assertTrue(fixes, done.stdout)
        write(pathlib.Path(fixes[0]["file"]), fixes[0]["content"])
        start("greedy")
        until(lambda: "locked" in self.said(), "mlock succeeds")


class Textfile(unittest.TestCase):
    def test_the_service_writes_metrics(self):
        directory = pathlib.Path("/var/lib/prometheus/node-exporter")
        directory.mkdir(parents=True)
        run("systemctl", "start", "pagewarden-textfile.service")
        text = (directory / "pagewarden.prom").read_text(encoding="utf-8")
        self.assertIn('pagewarden_cgroup_locked_bytes{cgroup="/system.slice/nginx.service"', text)


if __name__ == "__main__":
    started = time.monotonic()
    print("@@ begin checks", flush=True)
    program = unittest.main(exit=False, verbosity=2)
    passed = program.result.wasSuccessful()
    if not passed:
        print(run("journalctl", "--no-pager", "-n", "60").stdout)
    milliseconds = int((time.monotonic() - started) * 1000)
    print(f"@@ end checks {0 if passed else 1} {milliseconds}\n@@ done", flush=True)
    sys.stdout.flush()
