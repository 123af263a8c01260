# SPDX-License-Identifier: Apache-2.0
"""Refusals that happen while the doctor looks on."""

import json
import pathlib
import select
import subprocess

import doctor
import harness
import pagewarden
from doctor import NO_IPC_LOCK, Target
from doctor_cases.case import SEEN, DoctorCase

MIB = 1 << 20

# Reasons of docs/reasons.md, and the codes that stand for them.
CODES_OF_REASONS = {
    "SECCOMP": ["PW015"], "LIMIT_ZERO": ["PW001"], "NOT_OWNER": ["PW036"],
    "PERF_BUDGET": ["PW023"], "BPF_UID_BUDGET": ["PW023"], "UID_BUDGET": ["PW023"],
    "OVER_LIMIT": ["PW003"], "OVER_LIMIT.SOFT_BELOW_HARD": ["PW002"],
    "OVER_LIMIT.CAP_IN_USER_NS": ["PW004"], "OVER_LIMIT.CAP_NOT_EFFECTIVE": ["PW005"],
    "OVER_LIMIT.LIMIT_BELOW_PAGE": ["PW003"], "OVER_LIMIT.DRIFT": ["PW032"],
    "OVER_LIMIT.UNIT": ["PW003", "PW031"], "OVER_LIMIT_VSZ": ["PW034"],
    "HUGETLB_LEN": ["PW040"], "HUGETLB_GROUP": ["PW040"], "HOLE": ["PW012"],
    "UNPOPULATABLE": ["PW012"], "VMA_LIMIT": ["PW013"], "FUTURE_OVER_LIMIT": ["PW003", "PW021"],
    "NO_MEMORY": ["PW011"], "ARGS": ["PW039"], "STACK_OVER_LIMIT": ["PW021"],
    "SECRET_UID_BUDGET": ["PW035"], "PRIVILEGED_BYPASS": ["PW033"], "PARTIAL": ["PW037"],
}


@harness.needs_root
class WatchTest(DoctorCase):
    """Refusals as they happen, by the hooks of this kernel."""

    SCENARIO = harness.BUILD / "tests" / "reasons" / "reasons-scenario"

    def scenarios(self):
        done = subprocess.run([self.SCENARIO], capture_output=True, text=True, check=False)
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        return {name: code for name, _, code in rows}

    def trace_all(self, names):
        """(report, {name: pid, or None where it cannot be provoked}) of one run."""
        script = "for name; do echo name $name; (echo; sleep 0.15) | $0 $name; done; true"
        command = [pagewarden.PAGEWARDEN, "doctor", "--trace", "--json", "--", "sh", "-c", script,
                   self.SCENARIO, *names]
        done = subprocess.run(doctor.words(command), capture_output=True, text=True, timeout=200,
                              check=False)
        pids, name = {}, None
        for line in done.stderr.splitlines():
            word, _, rest = line.partition(" ")
            if word == "name":
                name = rest
            if word == "ready":
                pids[name] = int(rest)
        return json.loads(done.stdout), pids

    def test_each_reason_has_its_finding(self):
        scenarios = self.scenarios()
        report, pids = self.trace_all(list(scenarios))
        self.assertGreater(len(pids), 35)
        for name, reason in scenarios.items():
            if name not in pids:
                continue  # not on this kernel: tests/reasons says why
            of_process = [f for f in report["findings"] if f"[{pids[name]}]" in f["subject"]]
            with self.subTest(scenario=name, reason=reason):
                if not reason:
                    self.assertEqual(of_process, [])
                    continue
                told = [f["code"] for f in of_process if f.get("reason") == reason]
                self.assertEqual(len(told), 1, of_process)
                self.assertIn(told[0], CODES_OF_REASONS[reason])
                SEEN.update(f["code"] for f in of_process)
                for finding in of_process:
                    self.assertTrue(finding["fixes"], finding)
                if reason.endswith(".UNIT"):
                    self.assertIn("PW031", [f["code"] for f in of_process])
        SEEN.discard("PW041")

    def test_a_scenario_leaves_no_cgroup(self):
        done = subprocess.run([self.SCENARIO, "memory-cgroup"], input="\n", capture_output=True,
                              text=True, check=False)
        if done.returncode == 77:
            self.skipTest(done.stdout.strip())
        self.assertIn("Resource temporarily unavailable", done.stdout)
        pid = done.stdout.split()[1]
        mounts = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").split("\n")
        mount = next(line.split()[1] for line in mounts
                     if " cgroup " in line and "memory" in line.split()[3].split(","))
        self.assertEqual(list(pathlib.Path(mount).glob(f"pagewarden-reasons-{pid}")), [])

    def test_a_running_process(self):
        with Target([*NO_IPC_LOCK, "prlimit", "--memlock=98304:98304"]) as target:
            with subprocess.Popen(doctor.words([pagewarden.PAGEWARDEN, "doctor", "--pid",
                                                target.pid, "--need", "4Ki", "--watch", "30"]),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True) as watcher:
                # Hooks are attached some time after its start.
                for _ in range(200):
                    self.assertEqual(target.ask("lock", MIB), "ENOMEM")
                    if select.select([watcher.stderr], [], [], 0.1)[0]:
                        break
                line = watcher.stderr.readline()
                watcher.kill()
        self.assertTrue(line.startswith("pagewarden: PW003: doctor-target["), line)

    def test_outcome_of_a_traced_command(self):
        done = subprocess.run(doctor.words([pagewarden.PAGEWARDEN, "doctor", "--trace", "--", "sh",
                                            "-c", "echo out; exit 3"]), capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the command ended: exit 3", done.stdout)
        self.assertEqual(done.stderr, "out\n")

    def test_traced_command_that_does_not_end(self):
        done = subprocess.run(doctor.words([pagewarden.PAGEWARDEN, "doctor", "--trace", "--watch",
                                            "0.5", "--", "sleep", "1000"]), capture_output=True,
                              text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
