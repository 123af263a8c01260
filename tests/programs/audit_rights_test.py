#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The audit with less than root: with CAP_BPF and CAP_PERFMON alone the snapshot is whole,
drift included; with nothing it reads /proc and names what it cannot see, with exit 4."""

import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(os.environ.get("PAGEWARDEN_BUILD", "build"))
USER = 1000
PAGE = 4096
MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP = 1, 2, 4

# A process that locks 16 pages and moves them with MREMAP_DONTUNMAP: on 6.16 to 7.1 both
# ranges stay in VmLck.
LEAK = f"""
import ctypes, signal
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
size = 16 * {PAGE}
def pages():
    return libc.mmap(None, ctypes.c_size_t(size), 3, 0x22, -1, ctypes.c_long(0))
old, new = pages(), pages()
assert libc.mlock(ctypes.c_void_p(old), ctypes.c_size_t(size)) == 0
flags = {MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP}
moved = libc.mremap(ctypes.c_void_p(old), ctypes.c_size_t(size), ctypes.c_size_t(size), flags,
                    ctypes.c_void_p(new))
assert moved == new
print("ready", flush=True)
signal.pause()
"""


def locked_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmLck:"):
            return int(line.split()[1]) * 1024
    return 0


class Rights(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to become somebody else")
        # The build folder may be closed to others.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pagewarden-rights-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)
        self.program = self.folder / "pagewarden"
        shutil.copy(BUILD / "agent" / "pagewarden", self.program)
        self.leaking = subprocess.Popen([sys.executable, "-c", LEAK], stdout=subprocess.PIPE,
                                        text=True)
        self.addCleanup(self.leaking.stdout.close)
        self.addCleanup(self.leaking.wait)
        self.addCleanup(self.leaking.send_signal, signal.SIGKILL)
        self.assertEqual(self.leaking.stdout.readline(), "ready\n")

    def audit(self, capabilities, *arguments):
        """Exit status, report and messages of an audit by USER with those capabilities only."""
        names = ",".join("+" + name for name in capabilities) or "-all"
        become = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
                  f"--inh-caps={names}", f"--ambient-caps={names}"]
        done = subprocess.run([*become, self.program, "audit", "--json", *arguments],
                              capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout), done.stderr

    def row(self, report):
        rows = [process for cgroup in report["cgroups"] for process in cgroup["processes"]
                if process["pid"] == self.leaking.pid]
        self.assertEqual(len(rows), 1)
        return rows[0]

    def expected_drift(self):
        drift = locked_bytes(self.leaking.pid) - 16 * PAGE
        if drift == 0:
            self.skipTest("this kernel does not leak")
        return drift

    def test_bpf_and_perfmon_are_enough(self):
        code, report, errors = self.audit(["bpf", "perfmon"], "--source=bpf", "--pid",
                                          str(self.leaking.pid))
        self.assertEqual(report["source"], "bpf", errors)
        self.assertEqual(code, 0, errors)
        row = self.row(report)
        self.assertEqual(row["uid"], 0)
        self.assertEqual(row["lockedBytes"], locked_bytes(self.leaking.pid))
        self.assertEqual(row["driftBytes"], self.expected_drift())

    def test_the_whole_machine_with_bpf_and_perfmon(self):
        code, report, errors = self.audit(["bpf", "perfmon"])
        self.assertEqual(report["source"], "bpf", errors)
        self.assertIn(code, (0, 4), errors)  # 4: BPF does not show all, or a shim is not readable
        self.assertEqual(code == 4, "incomplete : cannot read" in errors, errors)
        self.row(report)

    def test_with_nothing_it_says_what_it_cannot_see(self):
        code, report, errors = self.audit([])
        self.assertEqual(report["source"], "proc")
        self.assertEqual(code, 4, errors)
        self.assertIn("reading /proc instead of BPF", errors)
        self.assertIn("CAP_BPF", errors)
        self.assertRegex(errors, r"incomplete : cannot read drift of \d+ process")
        self.assertRegex(errors, r"incomplete : cannot read shim state of \d+ process")
        self.assertEqual(self.row(report)["lockedBytes"], locked_bytes(self.leaking.pid))

    def test_bpf_is_not_replaced_when_it_is_asked_for(self):
        done = subprocess.run(
            ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all",
             self.program, "audit", "--source=bpf"],
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertIn("cannot audit", done.stderr)

    def test_drift_is_shown_by_both_sources(self):
        drift = self.expected_drift()
        for source in ("bpf", "proc"):
            done = subprocess.run(
                [self.program, "audit", "--json", f"--source={source}", "--pid",
                 str(self.leaking.pid)],
                capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.row(json.loads(done.stdout))["driftBytes"], drift, source)


if __name__ == "__main__":
    unittest.main()
