#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What coverage says protects an unfenced process all the same, against what the kernel does:
memory cgroups of version 1 under pressure from above, beside a real swap file. A limit of
memory and swap that equals that of memory keeps only the cgroup's own limit from swapping."""

import json
import os
import pathlib
import subprocess
import unittest

import harness
from pagewarden import PAGEWARDEN
from swap import SwapFile

MIB = 1 << 20
HOLDER = f"""import mmap, signal, sys
size = int(sys.argv[1]) * {MIB}
memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for at in range(0, size, 4096):
    memory[at:at + 8] = at.to_bytes(8, "little")
print("ready", flush=True)
signal.pause()
"""
PYTHON = os.path.realpath("/usr/bin/python3")
POLICY = f"""apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: holders}}
spec:
  selector: {{matchBinaries: [{PYTHON}]}}
  rules:
    - match: {{all: true}}
"""
NO_SWAP = "its cgroup may not swap"
KINDS = {
    "plain": {},
    "memsw": {"memory.limit_in_bytes": 64 * MIB, "memory.memsw.limit_in_bytes": 64 * MIB},
    "swappiness": {"memory.swappiness": 0},
}


def is_version_1():
    return pathlib.Path("/sys/fs/cgroup/memory/memory.swappiness").exists()


@harness.needs_root
@unittest.skipUnless(is_version_1(), "no memory cgroups of version 1 here")
class ProtectionsTest(unittest.TestCase):
    def setUp(self):
        # Before all else, so that it ends last: swapoff reads back what the others have there,
        # into cgroups that have no room for it.
        self.enterContext(SwapFile())
        self.setup = self.enterContext(harness.SetUp("protections"))
        self.policy = self.setup.directory / "policy.yaml"
        self.policy.write_text(POLICY, encoding="ascii")
        self.policy.chmod(0o644)

    def cgroup(self, name, settings):
        """Below the set-up's; removed before it."""
        directory = self.setup.cgroup.directory / name
        directory.mkdir(parents=True)
        self.addCleanup(lambda: harness.wait_until(lambda: self.is_removed(directory),
                                                   f"{directory} is empty"))
        for file, value in settings.items():
            (directory / file).write_text(str(value), encoding="ascii")
        return directory

    @staticmethod
    def is_removed(directory):
        try:
            directory.rmdir()
        except OSError:
            return False
        return True

    def hold(self, directory, mebibytes):
        """The pid of a process in there that has written to so much memory."""
        def enter():
            (directory / "cgroup.procs").write_text("0", encoding="ascii")

        process = subprocess.Popen([PYTHON, "-c", HOLDER, str(mebibytes)], preexec_fn=enter,
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process.pid

    def protections(self, pid):
        explained = json.loads(harness.run_checked(
            [PAGEWARDEN, "policy", "explain", "--json", "--policy", self.policy, "--pid", pid]))
        return explained["coverage"]["protections"]

    def swapped(self, kind, settings):
        """Bytes of a process in such a cgroup that a neighbour under the same limit pushed
        out, and whether they are said to stay."""
        self.cgroup(kind, {"memory.limit_in_bytes": 60 * MIB})
        victim = self.hold(self.cgroup(f"{kind}/victim", settings), 32)
        self.hold(self.cgroup(f"{kind}/neighbour", {}), 40)
        return (int(harness.read_status(victim)["VmSwap"].split()[0]) * 1024,
                NO_SWAP in self.protections(victim))

    def test_what_is_said_is_what_the_kernel_does(self):
        for kind, settings in KINDS.items():
            swapped, said_to_stay = self.swapped(kind, settings)
            self.assertEqual(said_to_stay, kind == "swappiness", kind)
            self.assertEqual(swapped == 0, said_to_stay, f"{kind}: {swapped} bytes in swap")


if __name__ == "__main__":
    harness.main()
