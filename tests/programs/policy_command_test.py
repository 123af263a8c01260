#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`pagewarden policy` as scripts use it: what is printed where, and the exit codes."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import harness
import learning

POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: {name}}}
spec:
  priority: {priority}
  selector: {{{selector}}}
  rules: [{{match: {{preset: openssl-private-keys}}}}]
"""
BUDGETS = """\
apiVersion: pagewarden/v1alpha1
kind: MemlockBudget
metadata: {name: fleet}
spec:
  budgets:
    - {name: wide, scope: Process, limit: 64Mi}
    - {name: tight, scope: Process, selector: {matchBinaries: [/usr/bin/sleep]}, limit: 1Mi}
    - {name: rlimit, scope: Process, maxRlimit: 4Ki}
"""


def policy(name="p", priority=0, selector="matchBinaries: [/usr/bin/sleep]"):
    return POLICY.format(name=name, priority=priority, selector=selector)


class PolicyCommandTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="pagewarden-policy-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
        return path

    def run_policy(self, *words, code=0):
        done = learning.run("policy", *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_lint_json(self):
        wrong = self.write("w.yaml", policy().replace("priority", "priorty"))
        report = json.loads(self.run_policy("lint", "--json", wrong, code=3).stdout)
        self.assertEqual((report["schemaVersion"], report["errors"], report["warnings"]), (1, 1, 0))
        finding = report["diagnostics"][0]
        self.assertEqual((finding["severity"], finding["code"], finding["file"], finding["line"],
                          finding["column"], finding["hint"]),
                         ("error", "PW-P010", str(wrong), 5, 3, 'did you mean "priority"?'))

    def test_lint_warnings_fail_only_when_strict(self):
        both = self.write("b.yaml", policy("a") + "---\n" + policy("b"))
        done = self.run_policy("lint", both)
        self.assertIn("warning PW-P101", done.stderr)
        self.assertIn("no errors, 1 warning", done.stdout)
        self.run_policy("lint", "--strict", both, code=3)

    def test_lint_shows_what_drop_ins_hide(self):
        self.write("usr/a.yaml", policy("a"))
        hidden = self.write("usr/b.yaml", "broken: [")
        self.write("etc/b.yaml", "")
        done = self.run_policy("lint", "--policy-dir", self.directory / "usr", "--policy-dir",
                               self.directory / "etc")
        self.assertIn("b.yaml: a mask\n", done.stdout)
        self.assertIn(f"  hides {hidden}\n", done.stdout)
        self.assertIn("1 policy, 0 presets: no errors", done.stdout)

    def test_explain_says_why_each_was_passed_over(self):
        path = self.write("p.yaml", "---\n".join([
            policy("winner", 1), policy("low"), policy("units", 9, "matchUnits: [no.service]"),
            policy("other", 9, "matchBinaries: [/bin/other]")]))
        done = self.run_policy("explain", "--exe", "sleep", "--policy", path, code=1)
        self.assertIn("policy winner", done.stdout)
        self.assertIn("selects its path, priority 1", done.stdout)
        self.assertIn("passed over: low (priority 0): lower priority", done.stdout)
        self.assertIn("passed over: units (priority 9): its cgroup is not known", done.stdout)
        self.assertNotIn("other", done.stdout)
        lowered = self.run_policy("explain", "--exe", "sleep", "--policy", path, "--max-mode",
                                  "Audit", code=1)
        self.assertIn("mode Audit, lowered from Enforce by --max-mode", lowered.stdout)

    def test_explain_of_a_process_shows_its_budgets(self):
        path = self.write("b.yaml", BUDGETS)
        with subprocess.Popen(["/usr/bin/sleep", "60"]) as process:
            try:
                harness.wait_until(
                    lambda: os.readlink(f"/proc/{process.pid}/exe").endswith("sleep"), "sleep runs")
                words = ("explain", "--pid", process.pid, "--policy", path)
                text = self.run_policy(*words).stdout
                report = json.loads(self.run_policy(*words, "--json").stdout)
            finally:
                process.send_signal(signal.SIGKILL)
        self.assertIn(f"Process {process.pid}:\n    1Mi, 0 B locked in 1 process: within "
                      f"(budget tight of fleet", text.replace(", 0 locked", ", 0 B locked"))
        self.assertIn("; binds)", text)
        self.assertIn("is above maxRlimit 4Ki (budget rlimit of fleet", text)
        limits = report["budgets"]["limits"]
        self.assertEqual([s["budget"] for s in limits[0]["sources"]], ["tight", "wide"])
        self.assertEqual(len(limits), 1)

    def test_diff(self):
        old, new = self.write("a.yaml", policy()), self.write("b.yaml", policy(priority=7))
        done = self.run_policy("diff", old, new, code=1)
        self.assertEqual(done.stdout, "AllocationPolicy p: changed\n  spec.priority: 0 -> 7\n")
        self.assertEqual(self.run_policy("diff", old, old).stdout, "no change\n")
        report = json.loads(self.run_policy("diff", old, new, "--json", code=1).stdout)
        self.assertEqual(report["changes"][0]["fields"][0]["after"], "7")
        self.run_policy("diff", old, self.write("c.yaml", "x: ["), code=3)

    def test_what_compile_prints_fences_a_program(self):
        path = self.write("p.yaml", policy(selector="matchBinaries: [/usr/bin/openssl]"))
        done = self.run_policy("compile", path, "-o", self.directory / "out")
        variables = dict(line.split("=", 1) for line in done.stdout.splitlines())
        self.assertIn("PAGEWARDEN_IMAGE", variables)
        key = self.directory / "k.pem"
        harness.run_checked(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key])
        sleeper = subprocess.Popen(["openssl", "s_server", "-key", key, "-nocert", "-accept", "0"],
                                   env={**os.environ, **variables}, stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            harness.wait_until(lambda: harness.locked_bytes(sleeper.pid) >= 1 << 20, "it is fenced")
        finally:
            sleeper.kill()
            sleeper.wait()
            sleeper.stdin.close()

    def test_schema_of_one_field(self):
        text = self.run_policy("schema", "arenas.onFork").stdout
        self.assertIn("spec.arenas[].onFork", text)
        self.assertIn("default  Relock", text)
        done = self.run_policy("schema", "arenas.onFrok", code=2)
        self.assertIn("did you mean", done.stderr)
        keys = self.run_policy("schema", "--keys").stdout.splitlines()
        self.assertIn("MemlockBudget\tspec.budgets[].warnAtPercent\twhole number, 1 to 99", keys)

    def test_usage(self):
        for words in (("explain",), ("diff", "a", "b", "c"), ("compile", "a"), ("schema", "--keys", "mode"),
                      ("lint", "--policy-dir", "a", "b")):
            with self.subTest(words=words):
                self.run_policy(*words, code=2)
        done = self.run_policy("diff", "--socket", "/nonexistent/agent.sock", code=5)
        self.assertIn("no agent answers at /nonexistent/agent.sock", done.stderr)


if __name__ == "__main__":
    harness.main()
