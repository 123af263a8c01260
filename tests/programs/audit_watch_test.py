#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`audit --watch` with processes that lock, are refused and end while it looks on."""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
import unittest

import harness
import pagewarden

NOBODY = 65534
LIMIT = 64 << 10
MIB = 1 << 20
EVERY = "0.5"


class Below:
    """A cgroup in `cgroup`."""

    def __init__(self, cgroup, name):
        self.path = f"{cgroup.path}/{name}"
        self.directory = cgroup.directory / name
        self.directory.mkdir()

    enter = harness.Cgroup.enter


class Locker:
    """A process in `cgroup` that does one step for each word it is told."""

    def __init__(self, cgroup, uid=0, limit=LIMIT):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "locker", str(uid)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, preexec_fn=cgroup.enter)
        self.pid = self.process.pid
        resource.prlimit(self.pid, resource.RLIMIT_MEMLOCK, (limit, limit))
        self.process.stdout.readline()

    def tell(self, word):
        """The errno of the step; 0: it went through."""
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def run_locker(uid):
    """The other side of Locker. Interpreters may lie where only root may start them."""
    if uid:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    print("ready", flush=True)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    size = ctypes.c_size_t(MIB)
    area = ctypes.c_void_p(libc.mmap(None, size, 3, 0x22, -1, ctypes.c_long(0)))
    for word in sys.stdin:
        call = {"lock": libc.mlock, "unlock": libc.munlock}[word.strip()]
        print(ctypes.get_errno() if call(area, size) else 0, flush=True)


class Watch:
    """A running `audit --watch`, whose lines are read after its end."""

    def __init__(self, cgroup, *words):
        self.process = subprocess.Popen(
            [*pagewarden.audit_command(cgroup), f"--watch={EVERY}", *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.messages = []
        for line in self.process.stderr:
            self.messages.append(line.strip())
            if "watching" in line:
                break

    def end(self):
        """(exit code, lines) after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=harness.DEADLINE_SECONDS)
        self.messages += err.splitlines()
        return self.process.returncode, out.splitlines()


def wait_for_reports(count=2):
    time.sleep(count * float(EVERY) + 0.2)


@harness.needs_root
class AuditWatch(unittest.TestCase):
    def setUp(self):
        setup = harness.SetUp("watch")
        self.addCleanup(setup.__exit__)
        self.cgroup = setup.cgroup

    def locker(self, **options):
        locker = Locker(self.cgroup, **options)
        self.addCleanup(locker.end)
        return locker

    def test_a_refusal_is_one_line_with_its_reason(self):
        locker = self.locker(uid=NOBODY)
        watch = Watch(self.cgroup)
        self.assertNotEqual(locker.tell("lock"), 0)
        wait_for_reports()
        code, lines = watch.end()
        refused = [line for line in lines if " refused: " in line]
        self.assertEqual(len(refused), 1, lines)
        self.assertIn(f"[{locker.pid}] in ", refused[0])
        self.assertIn("mlock of 1048576 B (1024 KiB): OVER_LIMIT", refused[0])
        self.assertIn(f"RLIMIT_MEMLOCK of {LIMIT} bytes", refused[0])
        self.assertTrue(any(line.startswith("warning: denied: ") for line in lines), lines)
        heading = next(line for line in lines if line.startswith("CGROUP"))
        self.assertIn("DENIED", heading)
        row = lines[lines.index(heading) + 1].split()
        self.assertEqual(row[heading.split().index("PROCS")], "1")
        self.assertTrue(all(len(line) <= 120 for line in lines[lines.index(heading):][:2]))
        self.assertEqual(code, 0, watch.messages)

    def test_a_cgroup_made_meanwhile_has_its_whole_path(self):
        watch = Watch(self.cgroup, "--json")
        below = Below(self.cgroup, "made-after-the-start-of-the-watch.service")
        self.addCleanup(below.directory.rmdir)
        locker = Locker(below, uid=NOBODY)
        self.addCleanup(locker.end)
        locker.tell("lock")
        wait_for_reports()
        _, lines = watch.end()
        refused = [o for o in map(json.loads, lines) if o["type"] == "attempt"]
        self.assertEqual([o["cgroup"] for o in refused], [below.path], lines)

    def test_json_lines(self):
        refused = self.locker(uid=NOBODY)
        locker = self.locker()
        watch = Watch(self.cgroup, "--json")
        refused.tell("lock")
        wait_for_reports()
        self.assertEqual(locker.tell("lock"), 0)
        self.assertEqual(locker.tell("unlock"), 0)
        wait_for_reports()
        self.assertEqual(locker.tell("lock"), 0)
        wait_for_reports()
        code, lines = watch.end()
        objects = [json.loads(line) for line in lines]
        self.assertEqual(code, 0, watch.messages)
        self.check_attempt([o for o in objects if o["type"] == "attempt" and o["refused"]],
                           refused.pid)
        self.check_changes([o for o in objects if o["type"] == "change"])
        self.check_reports([o for o in objects if o["type"] == "report"], refused.pid, locker.pid)

    def check_attempt(self, attempts, pid):
        self.assertEqual(len(attempts), 1, attempts)
        attempt = attempts[0]
        self.assertEqual((attempt["pid"], attempt["uid"], attempt["cgroup"], attempt["call"]),
                         (pid, NOBODY, self.cgroup.path, "mlock"))
        self.assertEqual(attempt["reason"], "OVER_LIMIT")
        self.assertEqual((attempt["requestBytes"], attempt["softLimitBytes"]), (MIB, LIMIT))

    def check_changes(self, changes):
        """Between two reports it rose and fell; then it rose to what it had been."""
        of_cgroup = [(c["what"], c["from"], c["to"]) for c in changes
                     if c.get("cgroup") == self.cgroup.path and "pid" not in c]
        self.assertEqual(of_cgroup, [("peak", 0, MIB), ("locked", 0, MIB)])

    def check_reports(self, reports, refused, locker):
        self.assertGreaterEqual(len(reports), 5)
        for report in reports:
            cgroup = next(c for c in report["cgroups"] if c["path"] == self.cgroup.path)
            self.assertEqual({p["pid"] for p in cgroup["processes"]}, {refused, locker})
        first, last = reports[0], reports[-1]
        for report, peak in ((first, 0), (last, MIB)):
            cgroup = next(c for c in report["cgroups"] if c["path"] == self.cgroup.path)
            process = next(p for p in cgroup["processes"] if p["pid"] == locker)
            self.assertEqual(process["peakLockedBytes"], peak)
            self.assertEqual(cgroup["peakLockedBytes"], peak)
        self.assertEqual(process["peakQuality"], "exact")
        self.assertEqual(cgroup["peakQuality"], "exact")
        self.assertEqual(last["counterDifferences"], [])
        self.assertGreater(last["watchedSeconds"], 2)

    def test_a_start_an_end_and_a_limit(self):
        locker = self.locker()
        watch = Watch(self.cgroup, "--by", "process")
        locker.tell("lock")
        wait_for_reports()
        resource.prlimit(locker.pid, resource.RLIMIT_MEMLOCK, (LIMIT // 2, LIMIT))
        wait_for_reports()
        locker.end()
        wait_for_reports()
        code, lines = watch.end()
        self.assertEqual(code, 0, watch.messages)
        changes = [line.split("] in ")[1].split(" ", 1)[1] for line in lines if "] in " in line
                   and " allowed by " not in line]
        self.assertEqual(changes, ["locked 0 -> 1024 KiB, a new peak",
                                   "limit 65536 B (64 KiB) -> 32768 B (32 KiB)",
                                   "locked 1024 -> 0 KiB, ended"])
        self.assertIn("no processes: no process is in the selection", "\n".join(lines))

    def test_fail_on(self):
        locker = self.locker(uid=NOBODY)
        for level, code in (("warning", 1), ("error", 0), ("never", 0)):
            watch = Watch(self.cgroup, "--fail-on", level)
            locker.tell("lock")
            wait_for_reports(1)
            self.assertEqual(watch.end()[0], code, level)

    def test_for_ends_it(self):
        self.locker()
        done = subprocess.run(
            [*pagewarden.audit_command(self.cgroup), "--watch", "--for", "1s"],
            capture_output=True, text=True, check=False, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("none of 1 cgroups locks or pins memory", done.stdout)
        self.assertNotIn("CGROUP", done.stdout)


if __name__ == "__main__":
    if sys.argv[1:2] == ["locker"]:
        run_locker(int(sys.argv[2]))
    else:
        harness.main()
