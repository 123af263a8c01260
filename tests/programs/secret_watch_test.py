#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Secrets under watch: the agent finds nginx's keys where they are not fenced, says so
nowhere else, and holds and tells no byte of them."""

import base64
import os
import re
import shutil
import subprocess
import unittest

import harness
import pagewarden
from agents import Agent
from credentials import make_key, make_keys, new_password
from nginx import POLICY, Nginx

WORKERS = 2
NAME = "nginx-tls-keys"
FAST = ("--verify-every", "2s")

PINNED = """apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: pinned}}
spec:
  selector: {{matchBinaries: [{program}]}}
  pin: {{process: true}}
  secrets: [{secret}]
"""
HOLDER = """
import sys, time
with open(sys.argv[1], "rb") as file:
    text = file.read()
print("held", flush=True)
time.sleep(600)
"""


def forms(key):
    """What would give the key away, 16 bytes at a time: its text, and d and the primes."""
    lines = key.key.read_text(encoding="ascii").splitlines()[1:-1]
    der = base64.b64decode("".join(lines))
    text = "".join(lines).encode()
    # RSA: the numbers behind the modulus, which is no secret. P-256: PKCS #8 has the scalar at 36.
    secret_der = der[len(der) // 2:] if len(der) > 500 else der[36:68]
    secret_text = text[len(text) // 2:] if len(der) > 500 else text[48:80]
    pieces = [secret_der[i:i + 16] for i in range(0, len(secret_der) - 15, 16)]
    pieces += [piece[::-1] for piece in pieces]  # as machine words
    return pieces + [secret_text[i:i + 16] for i in range(0, len(secret_text) - 15, 16)]


@harness.needs_root
class SecretWatchTest(unittest.TestCase):
    def setUp(self):
        self.setup_ = self.enterContext(harness.SetUp("secret-watch"))
        self.keys = make_keys(self.setup_.directory)
        agents = self.setup_.directory / "agent"
        agents.mkdir()
        self.agent = self.enterContext(
            Agent(agents, "--cgroup", self.setup_.cgroup.path, *FAST))

    def policy(self, files, name=NAME):
        text = POLICY.read_text(encoding="utf-8").replace(NAME, name)
        return text.rstrip() + "\n  secrets:\n" + "".join(f"    - {file}\n" for file in files)

    def watch(self, files):
        self.agent.rename("nginx.yaml", self.policy(files))

    def checked(self, condition, what):
        """The report of a check that began after this call and meets the condition."""
        before = self.agent.status()["secrets"]["checked"]
        return self.agent.wait_for(
            lambda s: s["secrets"]["checked"] not in (None, before) and condition(s["secrets"])
            and s["secrets"], what)

    def of_nginx(self, report, nginx):
        return [copies for copies in report["copies"] if copies["pid"] in nginx.pids()]

    def start(self, fenced):
        return self.enterContext(Nginx(self.setup_, self.keys, WORKERS, fenced))

    def test_fenced_copies_raise_nothing(self):
        self.watch([key.key for key in self.keys])
        nginx = self.start(fenced=True)
        nginx.load(100)
        report = self.checked(lambda r: len(self.of_nginx(r, nginx)) == 2 * (WORKERS + 1),
                              "both keys were found in master and workers")
        for copies in self.of_nginx(report, nginx):
            self.assertEqual((0, []), (copies["unfenced"], copies["where"]), copies)
            self.assertGreater(copies["fenced"], 0)
            self.assertEqual(self.setup_.cgroup.path, copies["cgroup"])
        self.assertEqual([], [e for e in self.agent.events("secret")
                              if e.get("pid") in nginx.pids()])

    def test_unfenced_copies_are_told_until_they_are_gone(self):
        self.watch([key.key for key in self.keys])
        with Nginx(self.setup_, self.keys, WORKERS, False) as nginx:
            nginx.load(100)
            pids = nginx.pids()
            report = self.checked(
                lambda r: {c["pid"] for c in self.of_nginx(r, nginx) if c["unfenced"]} ==
                set(pids), "unfenced copies were found in master and workers")
            for copies in self.of_nginx(report, nginx):
                self.assertEqual(self.setup_.cgroup.path, copies["cgroup"])
                self.assertEqual(NAME, copies["policy"])
                self.assertRegex(copies["where"][0], r"^\S+ in \S+")
            raised = harness.wait_until(
                lambda: [e for e in self.agent.events("secret") if e["raised"] and
                         e["policy"] == NAME and e["cgroup"] == self.setup_.cgroup.path],
                "an event tells of them")
            self.assertEqual("error", raised[0]["severity"])
            self.assertRegex(self.agent.get("/metrics")[1], re.compile(
                r'^pagewarden_secret_copies\{[^}]*cgroup="' + re.escape(self.setup_.cgroup.path) +
                r'"[^}]*fenced="false"[^}]*\} [1-9]', re.M))
            self.assert_nothing_leaks()
        harness.wait_until(lambda: [e for e in self.agent.events("secret") if not e["raised"] and
                                    e["cgroup"] == self.setup_.cgroup.path], "it is over")

    def test_an_older_key_and_files_that_hold_none_are_errors(self):
        elsewhere = self.setup_.directory / "new"
        elsewhere.mkdir()
        renewed = make_key(elsewhere, "RSA")
        (self.setup_.directory / "loose.key").write_text(renewed.key.read_text(encoding="ascii"),
                                                         encoding="ascii")
        (self.setup_.directory / "loose.key").chmod(0o666)
        self.watch([renewed.key, self.keys[0].certificate, self.setup_.directory / "loose.key",
                    self.setup_.directory / "none.key"])
        self.start(fenced=True)
        report = self.checked(lambda r: len(r["errors"]) == 4, "four files are not as they should")
        self.assertEqual(["missing", "not_a_secret", "not_found", "untrusted"],
                         sorted(error["reason"] for error in report["errors"]))

    def test_copies_that_the_policy_pins_are_shown_as_such(self):
        secret, program = self.setup_.directory / "password", os.path.realpath("/usr/bin/python3")
        secret.write_text(new_password(), encoding="ascii")
        secret.chmod(0o600)
        policy = self.setup_.directory / "pinned.yaml"
        policy.write_text(PINNED.format(program=program, secret=secret), encoding="utf-8")
        command = pagewarden.run_command(policy, [program, "-c", HOLDER, secret])
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                                   text=True, preexec_fn=self.setup_.cgroup.enter)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual("held\n", process.stdout.readline())
        self.agent.rename("pinned.yaml", policy.read_text(encoding="utf-8"))
        report = self.checked(lambda r: r["copies"], "the pinned copy was found")
        copies = report["copies"][0]
        self.assertEqual((0, 0), (copies["fenced"], copies["unfenced"]), copies)
        self.assertGreater(copies["pinned"], 0)
        text = harness.run_checked([pagewarden.PAGEWARDEN, "agent", "status", "--socket",
                                    self.agent.socket])
        self.assertRegex(text, rf"{secret}: {copies['pinned']} pinned in ")
        metrics = self.agent.get("/metrics")[1]
        self.assertRegex(metrics, re.compile(
            rf'^pagewarden_secret_pinned_copies{{[^}}]*policy="pinned"}} {copies["pinned"]}$', re.M))
        self.assertRegex(metrics, re.compile(
            r'^pagewarden_secret_copies{[^}]*policy="pinned",fenced="false"} 0$', re.M))
        self.assertEqual([], self.agent.events("secret"))

    def assert_nothing_leaks(self):
        """Neither what the agent says, nor what it keeps, nor its memory holds the keys."""
        said = "\n".join([*self.agent.lines, *self.agent.messages, *(
            self.agent.get(path)[1] for path in ("/metrics", "/v1/status", "/v1/events?limit=10000",
                                                 "/v1/policies"))]).encode()
        kept = b"".join(path.read_bytes() for folder in (self.agent.state, self.agent.runtime)
                        for path in folder.rglob("*") if path.is_file())
        pieces = [piece for key in self.keys for piece in forms(key)]
        self.assertGreater(len(pieces), 50)
        for piece in pieces:
            self.assertFalse(piece in said, "the agent told a piece of the key")
            self.assertFalse(piece in kept, "the agent keeps a piece of the key in a file")
        # verify knows more forms than this test.
        for key in self.keys:
            done = subprocess.run([str(pagewarden.PAGEWARDEN), "verify", *key.arguments(), "--pid",
                                   str(self.agent.process.pid), "--json"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(5, done.returncode, done.stderr + done.stdout)  # no copy at all
        self.assert_core_is_clean(pieces)

    def assert_core_is_clean(self, pieces):
        """At any moment: what holds keys is another process (secret_memory_test)."""
        if shutil.which("gdb") is not None:
            self.assertEqual([], self.pieces_in_core(pieces), "pieces of the key in a core")

    def pieces_in_core(self, pieces):
        core = self.setup_.directory / "core"
        harness.run_checked(["gdb", "--batch", "-nx", "-ex", f"gcore {core}", "-p",
                             self.agent.process.pid], timeout=120)
        dump = core.read_bytes()
        core.unlink()
        self.assertIn(NAME.encode(), dump)  # it is a core of the agent, and can hold text
        return [piece for piece in pieces if piece in dump]


if __name__ == "__main__":
    harness.main()
