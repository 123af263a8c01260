#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kind of process that a policy selects and that is not covered, made for real, and
what `audit --json` says of it. The host's own policies and images play no part: the
directories are given, and /run/pagewarden is this test's own (see `main`)."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness
from pagewarden import PAGEWARDEN

SHIM = harness.BUILD / "preload" / "libpagewarden.so"
NOBODY = 65534
SLEEPER = "#include <stdlib.h>\n#include <unistd.h>\nint main(void) {\n" \
          "  void* volatile p = malloc(100);\n  for (;;) pause();\n  free(p);\n}\n"
# No libc of that class is needed: pause(2) for ever.
SLEEPER32 = 'void _start(void) { for (;;) __asm__ volatile("int $0x80" : : "a"(29)); }\n'
SLEEPER_GO = "package main\nimport \"time\"\nfunc main() { for { time.Sleep(time.Hour) } }\n"
# Another malloc, before the shim: never freed, which is enough for the sleeper.
OWN_MALLOC = """#include <stddef.h>
static char heap[1 << 20]; static size_t used;
void* malloc(size_t n) { void* p = heap + used; used += (n + 15) & ~(size_t)15; return p; }
void free(void* p) { (void)p; }
void* calloc(size_t a, size_t b) { return malloc(a * b); }
void* realloc(void* p, size_t n) { (void)p; return malloc(n); }
"""
POLICY = """apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: {name}}}
spec:
  selector: {{matchBinaries: [{binaries}]}}
  rules:
    - name: {rule}
      match: {{all: true}}
{more}"""
EXCEPTION = """  exceptions:
    - matchBinaries: [{binary}]
      reason: the test of exceptions
      expires: '2999-12-31'
"""


class UncoveredTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="uncovered-"))
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        os.chmod(cls.dir, 0o755)
        cls.processes = {}
        cls.addClassCleanup(cls.end_all)
        cls.build()
        cls.policies = cls.dir / "policy.d"
        cls.policies.mkdir(mode=0o755)
        cls.start("started_before")
        cls.write_policies()
        cls.start_all()
        cls.report = cls.audit()

    @classmethod
    def end_all(cls):
        for process in cls.processes.values():
            process.kill()
            process.wait()

    @classmethod
    def compile(cls, name, source, *flags, suffix=".c"):
        path = cls.dir / (name + suffix)
        path.write_text(source)
        subprocess.run(["gcc", "-O1", "-o", str(cls.dir / name), str(path), *flags], check=True)

    @classmethod
    def build(cls):
        cls.compile("sleeper", SLEEPER)
        cls.compile("static", SLEEPER, "-static")
        cls.compile("static_pie", SLEEPER, "-static-pie")
        cls.compile("wrong_class", SLEEPER32, "-m32", "-nostdlib", "-static")
        cls.compile("own_malloc.so", OWN_MALLOC, "-shared", "-fPIC")
        loader = cls.dir / "other-loader.so"
        shutil.copy(os.path.realpath("/lib64/ld-linux-x86-64.so.2"), loader)
        cls.compile("libc", SLEEPER, f"-Wl,--dynamic-linker={loader}")
        source = cls.dir / "musl.c"
        source.write_text(SLEEPER)
        subprocess.run(["musl-gcc", "-o", str(cls.dir / "musl"), str(source)], check=True)
        source = cls.dir / "main.go"
        source.write_text(SLEEPER_GO)
        environment = {**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off"}
        environment.setdefault("GOCACHE", str(cls.dir / "go-cache"))
        subprocess.run(["go", "build", "-o", str(cls.dir / "static_go"), str(source)], check=True,
                       env=environment)
        for name in ("started_before", "not_preloaded", "not_loaded", "disabled", "no_image",
                     "image_invalid", "image_untrusted", "lock_failed", "shadowed", "other_policy",
                     "mode_differs", "needs_restart", "covered", "excepted", "setgid",
                     "file_capability"):
            shutil.copy(cls.dir / "sleeper", cls.dir / name)
        os.chown(cls.dir / "setgid", 0, NOBODY)
        os.chmod(cls.dir / "setgid", 0o2755)
        subprocess.run(["setcap", "cap_net_raw+ep", str(cls.dir / "file_capability")], check=True)

    @classmethod
    def write(cls, path, name="fence-all", rule="everything", more=""):
        binaries = ", ".join(str(cls.dir / program) for program in
                             ["static", "static_pie", "static_go", "wrong_class", "libc", "musl",
                              "started_before", "not_preloaded", "not_loaded", "disabled",
                              "no_image", "image_invalid", "image_untrusted", "lock_failed",
                              "shadowed", "other_policy", "mode_differs", "needs_restart",
                              "covered", "excepted", "setgid", "file_capability"])
        path.write_text(POLICY.format(name=name, binaries=binaries, rule=rule, more=more))
        os.chmod(path, 0o644)
        return path

    @classmethod
    def write_policies(cls):
        exception = EXCEPTION.format(binary=cls.dir / "excepted")
        cls.policy = cls.write(cls.policies / "all.yaml", more=exception)
        cls.other = cls.write(cls.dir / "other.yaml", name="another")
        cls.older = cls.write(cls.dir / "older.yaml", rule="of-yesterday")

    @classmethod
    def start(cls, name, before=(), **variables):
        environment = {**os.environ, **{key: str(value) for key, value in variables.items()}}
        cls.processes[name] = subprocess.Popen([*map(str, before), str(cls.dir / name)],
                                               env=environment, stdin=subprocess.DEVNULL,
                                               stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL)

    @classmethod
    def under(cls, policy, *options):
        return [PAGEWARDEN, "run", "--policy", policy, *options, "--"]

    @classmethod
    def start_all(cls):
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        for name in ("static", "static_pie", "static_go", "wrong_class", "libc", "not_preloaded",
                     "setgid", "excepted"):
            cls.start(name)
        cls.start("file_capability", before=as_nobody)
        for name in ("covered", "musl"):
            cls.start(name, before=cls.under(cls.policy))
        cls.start("not_loaded", LD_PRELOAD=cls.dir / "gone" / SHIM.name)
        cls.start("disabled", before=cls.under(cls.policy), PAGEWARDEN_DISABLED=1)
        cls.start("no_image", LD_PRELOAD=SHIM)
        garbage = cls.dir / "garbage.image"
        garbage.write_bytes(b"not an image" * 100)
        cls.start("image_invalid", LD_PRELOAD=SHIM, PAGEWARDEN_IMAGE=garbage)
        compiled = cls.dir / "compiled"
        harness.run_checked([str(PAGEWARDEN), "policy", "compile", str(cls.policy), "-o",
                             str(compiled)])
        image, = compiled.glob("images/*/policy.image")
        writable = cls.dir / "writable.image"
        shutil.copy(image, writable)
        os.chmod(writable, 0o666)
        cls.start("image_untrusted", LD_PRELOAD=SHIM, PAGEWARDEN_IMAGE=writable)
        cls.start("shadowed", LD_PRELOAD=f"{cls.dir / 'own_malloc.so'}:{SHIM}",
                  PAGEWARDEN_IMAGE=image)
        cls.start("lock_failed", before=["prlimit", "--memlock=0:0", *as_nobody],
                  LD_PRELOAD=SHIM, PAGEWARDEN_IMAGE=image)
        cls.start("other_policy", before=cls.under(cls.other))
        cls.start("mode_differs", before=cls.under(cls.policy, "--mode", "Audit"))
        cls.start("needs_restart", before=cls.under(cls.older))
        for name, process in cls.processes.items():
            wanted = str(cls.dir / name)
            harness.wait_until(lambda p=process, w=wanted: os.readlink(f"/proc/{p.pid}/exe") == w
                               and "S (sleeping)" in cls.state(p.pid), f"{name} sleeps")

    @staticmethod
    def state(pid):
        return pathlib.Path(f"/proc/{pid}/status").read_text()

    @classmethod
    def audit(cls, *options):
        pids = [word for process in cls.processes.values() for word in ("--pid", str(process.pid))]
        done = subprocess.run([str(PAGEWARDEN), "audit", "--json", "--policy-dir",
                               str(cls.policies), *pids, *options], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise harness.HarnessError(f"audit : exit {done.returncode}: {done.stderr}")
        cls.messages = done.stderr
        return json.loads(done.stdout)

    def row(self, name, report=None):
        pid = self.processes[name].pid
        for cgroup in (report or self.report)["cgroups"]:
            for process in cgroup["processes"]:
                if process["pid"] == pid:
                    return process
        return self.fail(f"{name} is not in the report")

    def check(self, name, reason, state="uncovered", says=()):
        row = self.row(name)
        self.assertIn("coverage", row, name)
        coverage = row["coverage"]
        self.assertEqual((coverage["state"], coverage.get("reason", "")), (state, reason),
                         f"{name}: {coverage}")
        self.assertEqual(coverage["policy"], "fence-all")
        if state == "uncovered":
            self.assertEqual(row["shim"]["uncovered"], reason)
        for word in says:
            self.assertIn(word, coverage["text"], name)

    def test_covered(self):
        self.check("covered", "", "covered")
        self.check("musl", "", "covered")

    def test_excepted_is_not_uncovered(self):
        self.assertNotIn("coverage", self.row("excepted"))

    def test_programs_out_of_reach(self):
        self.check("static", "static", says=["static", "pagewarden doctor --pid"])
        self.check("static_pie", "static")
        self.check("static_go", "static", says=["Go"])
        self.check("libc", "libc", says=["other-loader.so"])
        self.check("wrong_class", "wrong_class", says=["32-bit"])

    def test_secure_execution(self):
        self.check("setgid", "secure_exec", says=[f"setgid {NOBODY}"])
        self.check("file_capability", "secure_exec", says=["file capabilities"])

    def test_never_loaded(self):
        self.check("started_before", "started_before", says=["pagewarden run --"])
        self.check("not_preloaded", "not_preloaded", says=["pagewarden run --"])
        self.check("not_loaded", "not_loaded", says=["is not there in its mount namespace"])

    def test_shims_that_failed(self):
        for name in ("disabled", "no_image", "image_invalid", "image_untrusted", "shadowed"):
            self.check(name, name)
        self.check("lock_failed", "lock_failed", says=["RLIMIT_MEMLOCK"])

    def test_other_policies(self):
        self.check("other_policy", "other_policy", says=["another"])
        self.check("mode_differs", "mode_differs", "pending", says=["Audit", "Enforce"])
        self.check("needs_restart", "needs_restart", "pending", says=["rules"])

    def test_counts(self):
        self.assertEqual(self.report["coverage"],
                         {"selected": 21, "covered": 2, "pending": 2, "uncovered": 17})

    def test_a_finding_each(self):
        pids = {finding["pid"]: finding for finding in self.report["findings"]
                if finding["code"] == "uncovered"}
        self.assertEqual(len(pids), 17)
        self.assertEqual(pids[self.processes["not_preloaded"].pid]["severity"], "warning")
        self.assertEqual(pids[self.processes["shadowed"].pid]["severity"], "error")

    def explain(self, name, *options):
        done = subprocess.run([str(PAGEWARDEN), "policy", "explain", "--policy-dir",
                               str(self.policies), "--pid", str(self.processes[name].pid),
                               *options], capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, 1), f"{name}: {done.stderr}")
        return done.stdout

    def test_explain_says_the_same(self):
        for name in self.processes:
            explained = json.loads(self.explain(name, "--json"))["coverage"]
            self.assertEqual(explained, self.row(name).get("coverage"), name)

    def test_explain_says_it_to_people(self):
        covered = self.explain("covered")
        self.assertRegex(covered, r"(?m)^  covered: the shim is active in it, in mode Enforce")
        uncovered = self.explain("lock_failed")
        self.assertRegex(uncovered, r"(?m)^  uncovered \(lock_failed\): it has the shim, which "
                                    r"could lock .*; raise its RLIMIT_MEMLOCK to \d+ bytes: ")
        self.assertRegex(uncovered, r"(?m)^  (what protects it all the same: |nothing else prot)")
        self.assertIn("\n  pending (mode_differs): it runs in mode Audit", self.explain("mode_differs"))
        self.assertIn("\n  no policy of this host selects it", self.explain("excepted"))
        disabled = self.explain("static", "--max-mode", "Disabled")
        self.assertIn("\n  not to be fenced: the policy is Disabled", disabled)

    def test_protections_are_named(self):
        limited = self.row("static")["coverage"]["protections"]
        swap = pathlib.Path("/proc/swaps").read_text().splitlines()[1:]
        self.assertEqual("no swap" in limited, not swap)

    def test_a_broken_set_fails_no_audit(self):
        broken = self.policies / "broken.yaml"
        broken.write_text("kind: [\n")
        os.chmod(broken, 0o644)
        self.addCleanup(broken.unlink)
        report = self.audit()
        self.assertIsNone(report["coverage"])
        self.assertIn("coverage unknown", self.messages)
        self.assertIn("broken.yaml", self.messages)


def main():
    """In a mount namespace of its own, without the host's images."""
    if os.environ.get("UNCOVERED_TEST_INSIDE") != "1":
        environment = {**os.environ, "UNCOVERED_TEST_INSIDE": "1"}
        script = 'mkdir -p /run/pagewarden && mount -t tmpfs -o mode=755 tmpfs /run/pagewarden && ' \
                 'exec "$@"'
        os.execvpe("unshare", ["unshare", "-m", "--propagation", "private", "sh", "-c", script,
                               "sh", sys.executable, *sys.argv], environment)
    unittest.main()


if __name__ == "__main__":
    main()
