#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`fleet status` against a real Prometheus that holds 1,000 hosts of 20 cgroups each.

The series are generated, and come to Prometheus as from a federation: one page with the
`instance` of each host and its `up`. Labels that hostile hosts could send are among them.
"""

import http.server
import json
import os
import pathlib
import resource
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request

import fleet_hosts
import harness
import pagewarden

HOSTS = 1000
CGROUPS = 20
MIB = 1 << 20
OWN_SECONDS = 0.5
NAMES = ["nginx", "sshd", "redis", *(f"app{i}" for i in range(CGROUPS - 3))]
EVIL_UNIT = "/system.slice/..\\\\..\\\\evil\x1b[2J.service"
EVIL_PATHS = ["/system.slice/../../../tmp/evil.service", EVIL_UNIT, "/system.slice/.service",
              "/a\\n[Service]\\nExecStart=evil.service", "/docker/x/-evil.service"]

_CONFIG = """\
global: {{scrape_interval: 15s, scrape_timeout: 15s}}
scrape_configs:
  - job_name: federation
    honor_labels: true
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def instance(number):
    return f"host{number:04d}:9876"


def of_cgroup(number, name, lines):
    labels = f'job="pagewarden",instance="{instance(number)}",cgroup="/system.slice/{name}.service"'
    near = number == 42 and name == "nginx"
    over = number == 43 and name == "redis"
    for metric, value in (
            ("cgroup_locked_bytes", MIB), ("cgroup_pinned_bytes", 0),
            ("cgroup_locked_peak_bytes", (2 if number != 7 else 3) * MIB),
            ("cgroup_memlock_limit_min_bytes", 8 * MIB),
            ("cgroup_memlock_usage_max_ratio", 0.97 if near else 0.125),
            ("cgroup_recommended_limit_bytes", 12 * MIB if number == 7 else 4 * MIB)):
        lines.append(f"pagewarden_{metric}{{{labels}}} {value}")
    lines.append(f'pagewarden_cgroup_budget_bytes{{{labels},policy="all"}} {4 * MIB}')
    lines.append(f'pagewarden_cgroup_budget_used_bytes{{{labels},policy="all"}} '
                 f"{5 * MIB if over else MIB}")
    lines.append(f'pagewarden_memlock_denials_total{{{labels},reason="rlimit"}} 7')


def of_host(number, lines):
    labels = f'job="pagewarden",instance="{instance(number)}"'
    down = number == 44
    lines.append(f"up{{{labels}}} {0 if down else 1}")
    if down:
        return
    lines.append(f'pagewarden_build_info{{{labels},version="1",revision="r"}} 1')
    lines.append(f"pagewarden_config_last_reload_successful{{{labels}}} {int(number != 45)}")
    for policy in range(5):
        digest = "oldoldoldold" if number == 46 and policy == 0 else "newnewnewnew"
        lines.append(f'pagewarden_policy_info{{{labels},policy="p{policy}",version="v1alpha1",'
                     f'hash="{digest}",mode="Enforce"}} 1')
    if number == 47:
        lines.append(f'pagewarden_uncovered_processes{{{labels},cgroup="/system.slice/sshd.service"'
                     ',policy="p1",reason="static"} 2')
    for name in NAMES:
        of_cgroup(number, name, lines)


def page():
    lines = []
    for number in range(HOSTS):
        of_host(number, lines)
    for path in EVIL_PATHS:
        labels = f'job="pagewarden",instance="{instance(48)}",cgroup="{path}"'
        lines.append(f"pagewarden_cgroup_recommended_limit_bytes{{{labels}}} {64 * MIB}")
    labels = f'job="pagewarden",instance="{instance(48)}",cgroup="{EVIL_UNIT}"'
    lines.append(f"pagewarden_cgroup_memlock_usage_max_ratio{{{labels}}} +Inf")
    return ("\n".join(lines) + "\n").encode()


class Page(http.server.BaseHTTPRequestHandler):
    body = b""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


EXPECTED = {(instance(42), "limitNear"), (instance(43), "budget"), (instance(44), "agentDown"),
            (instance(45), "reload"), (instance(46), "policyBehind"), (instance(47), "uncovered"),
            (instance(48), "limitNear")}


class FleetScale(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="pagewarden-scale-")
        cls.addClassCleanup(cls.directory.cleanup)
        Page.body = page()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        top = pathlib.Path(cls.directory.name)
        config = top / "prometheus.yml"
        config.write_text(_CONFIG.format(port=server.server_address[1]), encoding="utf-8")
        port = harness.free_port()
        cls.url = f"http://127.0.0.1:{port}"
        cls.prometheus = subprocess.Popen(
            ["/usr/bin/prometheus", f"--config.file={config}", f"--storage.tsdb.path={top}/tsdb",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.end_prometheus)
        if not fleet_hosts.poll(cls.is_filled, 60):
            raise harness.HarnessError("Prometheus has not scraped the page")

    @classmethod
    def end_prometheus(cls):
        cls.prometheus.terminate()
        cls.prometheus.wait(timeout=harness.DEADLINE_SECONDS)

    @classmethod
    def is_filled(cls):
        query = urllib.parse.urlencode({"query": 'count(up{job="pagewarden"})'})
        try:
            with urllib.request.urlopen(f"{cls.url}/api/v1/query?{query}", timeout=5) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError:
            return False
        return bool(result) and result[0]["value"][1] == str(HOSTS)

    def status(self, *words):
        return subprocess.run([pagewarden.PAGEWARDEN, "fleet", "status", "--prometheus", self.url,
                               *words], capture_output=True, check=False, timeout=60)

    def test_names_exactly_what_is_planted(self):
        done = self.status("--json")
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual({(row["host"], problem["problem"]) for row in report["attention"]
                          for problem in row["problems"]}, EXPECTED)
        self.assertEqual(report["hosts"], {"total": HOSTS, "up": HOSTS - 1, "needAttention": 7})
        self.assertEqual(report["cgroups"], (HOSTS - 1) * CGROUPS)
        self.assertEqual([p["behind"] for p in report["rollout"]], [[instance(46)], *[[]] * 4])

    def test_is_quick(self):
        """By its own time: that of Prometheus, printed beside it, is the machine's."""
        walls, own = [], []
        for _ in range(5):
            start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
            self.status("--json")
            walls.append(time.monotonic() - start)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            own.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        load = os.getloadavg()[0] / os.cpu_count()
        print(f"{HOSTS} hosts x {CGROUPS} cgroups: {min(walls):.2f} s, of which {min(own):.2f} s "
              f"are fleet status's own; load {load:.1f} a processor")
        self.assertLess(min(own), OWN_SECONDS)

    def test_nothing_of_a_label_reaches_the_terminal_or_leaves_the_directory(self):
        target = pathlib.Path(self.directory.name) / "drop-ins"
        done = self.status("--recommend", str(target), "--all")
        self.assertNotIn(b"\x1b", done.stdout + done.stderr)
        written = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
        safe = {f"{name}.service.d/50-pagewarden-memlock.conf" for name in [*NAMES, "evil"]}
        self.assertEqual(written, safe)
        text = (target / "nginx.service.d/50-pagewarden-memlock.conf").read_text(encoding="utf-8")
        self.assertIn(f"\n[Service]\nLimitMEMLOCK={12 * MIB}\n", text)
        self.assertIn("12 MiB, on host0007:9876 of 999 hosts", text)
        self.assertIn("highest sum locked in its cgroup: 3 MiB; lowest limit now: 8 MiB", text)

    def test_a_matcher_that_is_wrong_or_matches_nothing(self):
        self.assertEqual(self.status("--matcher", 'job="nobody"').returncode, 4)
        wrong = self.status("--matcher", 'job=pagewarden')
        self.assertEqual(wrong.returncode, 2, wrong.stderr)
        self.assertIn(b"parse error", wrong.stderr)

    def test_one_healthy_host(self):
        done = self.status("--matcher", f'job="pagewarden",instance="{instance(1)}"')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(b"1 host (1 up), 20 cgroups: nothing needs attention", done.stdout)

    def test_nobody_answers(self):
        done = subprocess.run([pagewarden.PAGEWARDEN, "fleet", "status", "--prometheus",
                               f"http://127.0.0.1:{harness.free_port()}"], check=False,
                              capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 5)
        self.assertEqual(done.stdout, b"")


if __name__ == "__main__":
    harness.main()
