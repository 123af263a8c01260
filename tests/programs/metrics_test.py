#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics of a running agent and of one audit, judged by Prometheus' own promtool."""

import http.client
import json
import subprocess
import unittest

import agents
import exposition
import harness
import pagewarden

LOCK = ("import ctypes, mmap, sys; m = mmap.mmap(-1, 65536); "
        "a = ctypes.addressof(ctypes.c_char.from_buffer(m)); "
        "assert ctypes.CDLL(None).mlock(ctypes.c_void_p(a), 65536) == 0; "
        "print('ready', flush=True); sys.stdin.read()")


def listed():
    """The names of all metrics, without what a histogram's samples add."""
    report = json.loads(harness.run_checked([pagewarden.PAGEWARDEN, "metrics", "--json"]))
    return {metric["name"]: metric for metric in report["metrics"]}


def audit(*options):
    return subprocess.run([str(pagewarden.PAGEWARDEN), "audit", *options], capture_output=True,
                          text=True, check=False)


class MetricsTest(unittest.TestCase):
    def setUp(self):
        self.setup = self.enterContext(harness.SetUp("metrics"))
        locker = subprocess.Popen(["/usr/bin/python3", "-c", LOCK], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True,
                                  preexec_fn=self.setup.cgroup.enter)
        self.addCleanup(locker.communicate)
        self.assertEqual(locker.stdout.readline(), "ready\n")

    def check_samples(self, text, snapshot):
        code, output = exposition.check(text)
        self.assertEqual((code, output), (0, ""))
        known = listed()
        for name, labels, _ in exposition.parse(text):
            family = name
            for suffix in ("_bucket", "_sum", "_count"):
                if name.endswith(suffix) and name not in known:
                    family = name[:-len(suffix)]
            self.assertIn(family, known)
            self.assertLessEqual(set(labels) - {"le"}, set(known[family]["labels"]), name)
            if snapshot:
                self.assertTrue(known[family]["inSnapshot"], name)
        self.assertEqual(exposition.values(text, "pagewarden_cgroup_locked_bytes",
                                           cgroup=self.setup.cgroup.path), [65536])

    def test_a_live_scrape_is_clean(self):
        with agents.Agent(self.setup.directory) as agent:
            agent.write("a.yaml", agents.policy("keys"))
            agent.wait_for_modes({"keys": "Audit"})
            status, text = agent.get_tcp("/metrics")
            self.assertEqual(status, 200)
            self.check_samples(text, snapshot=False)
            self.assertEqual(exposition.values(text, "pagewarden_policy_info", policy="keys",
                                               mode="Audit"), [1])
            self.check_samples(agent.get("/metrics")[1], snapshot=False)

    def container_of(self, *options):
        """Labels of a cgroup that is named as a container's is."""
        container = self.setup.cgroup.directory / f"docker-c0ffee{58 * '0'}.scope"
        container.mkdir(exist_ok=True)
        locker = subprocess.Popen(
            ["/usr/bin/python3", "-c", LOCK], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, preexec_fn=lambda: (container / "cgroup.procs").write_text("0"))
        try:
            self.assertEqual(locker.stdout.readline(), "ready\n")
            with agents.Agent(self.setup.directory, *options) as agent:
                text = agent.get_tcp("/metrics")[1]
        finally:
            locker.communicate()
            container.rmdir()
        self.assertEqual(exposition.check(text), (0, ""))
        found, = [labels for name, labels, value in exposition.parse(text)
                  if name == "pagewarden_cgroup_locked_bytes" and container.name in labels["cgroup"]]
        return found

    def test_labels_that_are_left_out(self):
        with_all = self.container_of()
        self.assertEqual(set(with_all), {"cgroup", "container"})
        without = self.container_of("--metrics.labels=")
        self.assertEqual(without, {"cgroup": with_all["cgroup"]})
        wrong = subprocess.run([str(pagewarden.PAGEWARDEN), "agent", "--metrics.labels=pods"],
                               capture_output=True, text=True, check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn('--metrics.labels : no label "pods" of namespace, pod and container (did you '
                      'mean "pod"?)', wrong.stderr)

    def test_openmetrics_by_negotiation(self):
        with agents.Agent(self.setup.directory) as agent:
            connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=10)
            connection.request("GET", "/metrics", headers={
                "Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"})
            response = connection.getresponse()
            self.assertTrue(response.getheader("Content-Type").startswith(
                "application/openmetrics-text; version=1.0.0"))
            self.assertTrue(response.read().endswith(b"\n# EOF\n"))

    def test_the_textfile_is_clean_and_replaced_at_once(self):
        path = self.setup.directory / "out" / "pagewarden.prom"
        path.parent.mkdir()
        path.write_text("old", encoding="utf-8")
        path.chmod(0o600)
        done = audit("--format=prometheus", "-o", str(path))
        self.assertEqual(done.stdout, "")
        self.assertIn(done.returncode, (0, 4), done.stderr)  # 4: some process is out of reach here
        self.assertEqual(path.stat().st_mode & 0o777, 0o644)
        self.assertEqual(list(path.parent.iterdir()), [path])
        self.check_samples(path.read_text(encoding="utf-8"), snapshot=True)

    def test_a_textfile_that_cannot_be_written(self):
        done = audit("--format=prometheus", "-o", "/nonexistent/a.prom")
        self.assertEqual(done.returncode, 4)
        self.assertIn("pagewarden: cannot write the report : ", done.stderr)

    def test_forms_have_synonyms(self):
        own = ("--cgroup", self.setup.cgroup.path)
        self.assertEqual(json.loads(audit("--format=json", *own).stdout)["schemaVersion"],
                         json.loads(audit("--json", *own).stdout)["schemaVersion"])
        self.assertEqual(audit("--format=plain", *own).stdout.split("\t")[0],
                         audit("--plain", *own).stdout.split("\t")[0])
        self.assertEqual(audit("--format=xml").returncode, 2)
        self.assertEqual(audit("--format=prometheus", "--watch").returncode, 2)


if __name__ == "__main__":
    unittest.main()
