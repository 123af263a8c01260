#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""5,000 cgroups that lock memory on one host: what is exported, and what it costs."""

import pathlib
import subprocess
import time
import unittest

import agents
import exposition
import harness

CGROUPS = 5000
MAX_EXPORTED = 200
WATCHED_SECONDS = 20
LOCKERS = harness.BUILD / "tests" / "programs" / "cgroup-lockers"


def cpu_seconds(pid):
    words = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / 100


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0


def audits(agent):
    """How many were made so far."""
    text = agent.get_tcp("/metrics")[1]
    return int(exposition.values(text, "pagewarden_scan_duration_seconds_count")[0])


class CardinalityTest(unittest.TestCase):
    def setUp(self):
        self.setup = self.enterContext(harness.SetUp("cardinality"))
        self.addCleanup(self.remove_cgroups)

    def remove_cgroups(self):
        """They are empty soon after their processes have been killed."""
        deadline = time.monotonic() + 60
        left = [path for path in self.setup.cgroup.directory.iterdir() if path.is_dir()]
        while left and time.monotonic() < deadline:
            for path in list(left):
                try:
                    path.rmdir()
                    left.remove(path)
                except OSError:
                    time.sleep(0.01)

    def start_lockers(self):
        lockers = subprocess.Popen([LOCKERS, str(self.setup.cgroup.directory), str(CGROUPS)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(lockers.communicate)
        return int(lockers.stdout.readline())

    def print_cost(self, agent):
        pid = agent.process.pid
        cpu, scans = cpu_seconds(pid), audits(agent)
        time.sleep(WATCHED_SECONDS)
        cpu, scans = cpu_seconds(pid) - cpu, audits(agent) - scans
        before = time.perf_counter()
        text = agent.get_tcp("/metrics")[1]
        scrape_ms = 1000 * (time.perf_counter() - before)
        print(f"{CGROUPS} cgroups, one locking process each: "
              f"{1000 * cpu / max(scans, 1):.1f} ms of CPU per audit ({scans} in "
              f"{WATCHED_SECONDS} s, {100 * cpu / WATCHED_SECONDS:.1f} % of a core), "
              f"{resident_mib(pid):.1f} MiB resident, "
              f"scrape {len(text)} bytes in {scrape_ms:.1f} ms, "
              f"{len(exposition.parse(text))} series")

    def test_five_thousand_cgroups(self):
        locked = self.start_lockers()
        with agents.Agent(self.setup.directory, "--cgroup", self.setup.cgroup.path) as agent:
            def seen():
                text = agent.get_tcp("/metrics")[1]
                done = exposition.values(text, "pagewarden_cgroups_tracked") == [CGROUPS]
                return text if done else None
            text = harness.wait_until(seen, "all cgroups are seen")
            self.assertEqual(exposition.check(text), (0, ""))
            exported = exposition.cgroups(text)
            self.assertEqual(len(exported), MAX_EXPORTED + 1)
            self.assertIn("__other__", exported)
            for name, total in (("locked_bytes", locked), ("locking_processes", CGROUPS)):
                self.assertEqual(sum(exposition.values(text, f"pagewarden_cgroup_{name}")), total)
            self.assertEqual(exposition.values(text, "pagewarden_cgroups_folded"),
                             [CGROUPS - MAX_EXPORTED])
            self.print_cost(agent)
            self.assertEqual(exposition.cgroups(agent.get_tcp("/metrics")[1]), exported)


if __name__ == "__main__":
    unittest.main()
