#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Three hosts with real programs in trouble, real agents, a real Prometheus: what `fleet status`
names and which of the shipped alerts fire, while the trouble lasts and after it is mended."""

import json
import pathlib
import resource
import subprocess
import sys
import time
import unittest

import fleet_hosts
import harness
import pagewarden
import prometheus

KIB = 1 << 10
MIB = 1 << 20
LOCKER = harness.BUILD / "tests" / "programs" / "doctor-target"
STATIC_LOCKER = harness.BUILD / "tests" / "programs" / "doctor-target-static"
DEPLOY_TESTS = harness.ROOT / "tests" / "deploy"
SETTLE_SECONDS = 60
STEADY_SECONDS = 6  # two checks of secrets

BUDGETS = """\
apiVersion: pagewarden/v1alpha1
kind: MemlockBudget
metadata: {{name: everywhere}}
spec:
  budgets: [{{name: all, scope: Service, limit: {limit}}}]
"""
CACHE_BUDGET = """\
apiVersion: pagewarden/v1alpha1
kind: MemlockBudget
metadata: {name: cache}
spec:
  budgets: [{name: cache, scope: Service, limit: 1Mi, selector: {matchUnits: [cache.service]}}]
"""
WORKERS = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: workers}
spec:
  selector: {matchUnits: [worker.service]}
  rules: [{match: {preset: openssl-private-keys}}]
"""
# With the wrong preset the program is fenced, and its key is not.
TLS = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: tls-{host}}}
spec:
  selector: {{matchBinaries: [/usr/bin/openssl], matchUnits: [tls.service]}}
  secrets: [{key}]
  rules: [{{match: {{preset: {preset}}}}}]
"""


class Agent:
    def __init__(self, host):
        self.host = host
        self.policies = pathlib.Path(f"/proc/{host.pid}/root/run/pagewarden/policy.d")
        self.policies.mkdir(mode=0o755)
        self._log = open(host.directory / "agent.log", "wb")

    def start(self):
        host = self.host
        self.process = host.start(
            [pagewarden.PAGEWARDEN, "agent", "--listen", f"{host.address}:{fleet_hosts.PORT}",
             "--state-dir", host.directory / "state", "--cgroup", host.cgroup.path,
             "--verify-every", "3s"], stdout=self._log, stderr=self._log)

    def write(self, name, text):
        """Whole, as configuration management does it."""
        new = self.policies / f".{name}"
        new.write_text(text, encoding="utf-8")
        new.rename(self.policies / name)

    def close(self):
        self._log.close()

    def metrics(self):
        return self.host.output(["curl", "-sS", "--max-time", "5",
                                 f"http://{self.host.instance}/metrics"])

    def log(self):
        return (self.host.directory / "agent.log").read_text(errors="replace")[-3000:]


class Locker:
    """A real process that locks when told to, without CAP_IPC_LOCK."""

    def __init__(self, host, unit, soft=8 * MIB, program=LOCKER, fenced=False):
        command = ["setpriv", "--inh-caps=-ipc_lock", "--bounding-set=-ipc_lock", str(program)]
        if fenced:
            command = [*command[:-1], str(pagewarden.PAGEWARDEN), "run", "--", str(program)]

        def limit():
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, 8 * MIB))

        self.process = host.start(command, unit, preexec=limit, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def lock(self, size):
        self.process.stdin.write(f"lock {size}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def raise_limit(self):
        resource.prlimit(self.process.pid, resource.RLIMIT_MEMLOCK, (8 * MIB, 8 * MIB))

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=harness.DEADLINE_SECONDS)


class TlsServer:
    """openssl s_server with a fresh key."""

    def __init__(self, host):
        self.host = host
        self.key = host.directory / "tls.key"
        self._certificate = host.directory / "tls.crt"
        harness.run_checked(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                             "/CN=test", "-keyout", self.key, "-out", self._certificate])

    def start(self):
        with open(self.host.directory / "tls.log", "wb") as log:
            self.process = self.host.start(
                [pagewarden.PAGEWARDEN, "run", "--", "/usr/bin/openssl", "s_server", "-accept",
                 "127.0.0.1:4433", "-key", self.key, "-cert", self._certificate, "-quiet"],
                "tls.service", stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=harness.DEADLINE_SECONDS)


@harness.needs_root
class FleetStatus(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.fleet = fleet_hosts.Fleet(["web1", "db1", "cache1"])
        self.fleet.__enter__()
        self.addCleanup(self.fleet.__exit__)
        self.web, self.db, self.cache = self.fleet.hosts
        self.agents = {host: Agent(host) for host in self.fleet.hosts}
        for agent in self.agents.values():
            self.addCleanup(agent.close)
        self.tls = {host: TlsServer(host) for host in (self.web, self.db)}

    def test_names_each_problem_and_nothing_else(self):
        begin = time.monotonic()
        self.start_healthy()
        self.note(begin, "three healthy hosts")
        self.plant()
        self.expect(self.planted_problems(), self.planted_alerts(), 1)
        self.note(begin, "each problem named, each alert fires")
        self.check_scrapes()
        self.check_dashboard()
        self.mend()
        self.expect_fenced(self.db, "tls.service")
        self.expect(set(), set(), 0)
        self.note(begin, "all is well again")

    def note(self, begin, what):
        print(f"{time.monotonic() - begin:5.1f} s: {what}", flush=True)

    # --- the hosts ---------------------------------------------------------

    def start_healthy(self):
        for host, agent in self.agents.items():
            agent.write("budgets.yaml", BUDGETS.format(limit="64Mi"))
            agent.write("workers.yaml", WORKERS)
            if host in self.tls:
                self.write_tls(host, "openssl-private-keys")
            agent.start()
        self.agents[self.cache].write("cache.yaml", CACHE_BUDGET)
        self.server = prometheus.Prometheus(self.fleet.monitor,
                                            [host.instance for host in self.fleet.hosts])
        self.addCleanup(self.server.close)
        self.near = Locker(self.web, "near.service", soft=256 * KIB)
        self.denied = Locker(self.db, "denied.service", soft=64 * KIB)
        self.big = Locker(self.cache, "cache.service")
        for locker in (self.near, self.denied, self.big):
            self.assertEqual(locker.lock(4 * KIB), "OK")
        self.tls[self.web].start()
        # The same units, well, on other hosts: only the planted ones may be named.
        self.others = [Locker(self.db, "cache.service"), Locker(self.cache, "near.service")]
        for locker in self.others:
            self.assertEqual(locker.lock(2 * MIB), "OK")
        self.expect_fenced(self.web, "tls.service")
        self.expect(set(), set(), 0)

    def write_tls(self, host, preset):
        self.agents[host].write("tls.yaml", TLS.format(
            host=host.name, key=self.tls[host].key, preset=preset))

    def plant(self):
        self.assertEqual(self.near.lock(244 * KIB), "OK")
        self.assertEqual(self.denied.lock(MIB), "ENOMEM")
        self.assertEqual(self.big.lock(2 * MIB), "OK")
        self.uncovered = Locker(self.web, "worker.service", program=STATIC_LOCKER)
        self.write_tls(self.db, "gcrypt-private-keys")
        time.sleep(2)  # the agent of db1 has taken it
        self.tls[self.db].start()
        self.agents[self.cache].write("broken.yaml", "kind: AllocationPolicy\nspec: [\n")
        time.sleep(2)
        for agent in self.agents.values():  # cache1 cannot take it
            agent.write("budgets.yaml", BUDGETS.format(limit="48Mi"))

    def planted_problems(self):
        return {
            (self.web.instance, self.web.path("near.service"), "limitNear"),
            (self.web.instance, self.web.path("worker.service"), "uncovered"),
            (self.db.instance, self.db.path("denied.service"), "denial"),
            (self.db.instance, self.db.path("tls.service"), "secret"),
            (self.cache.instance, self.cache.path("cache.service"), "budget"),
            (self.cache.instance, None, "reload"),
            (self.cache.instance, None, "policyBehind"),
        }

    def planted_alerts(self):
        return {
            ("PagewardenMemlockLimitNear", self.web.instance, self.web.path("near.service")),
            ("PagewardenUncoveredProcesses", self.web.instance, self.web.path("worker.service")),
            ("PagewardenMemlockDenied", self.db.instance, self.db.path("denied.service")),
            ("PagewardenUnfencedSecret", self.db.instance, self.db.path("tls.service")),
            ("PagewardenBudgetExceeded", self.cache.instance, self.cache.path("cache.service")),
            ("PagewardenPolicyReloadFailed", self.cache.instance, None),
            ("PagewardenPolicySpread", None, None),
        }

    def mend(self):
        self.near.raise_limit()
        self.denied.raise_limit()
        self.assertEqual(self.denied.lock(MIB), "OK")
        self.big.end()
        self.uncovered.end()
        self.covered = Locker(self.web, "worker.service", fenced=True)
        self.tls[self.db].end()
        self.write_tls(self.db, "openssl-private-keys")
        (self.agents[self.cache].policies / "broken.yaml").unlink()
        time.sleep(2)
        self.tls[self.db].start()

    # --- what is seen of them ----------------------------------------------

    def expect_fenced(self, host, unit):
        """What the agent of `host` finds of the secrets of `unit` is in the fence."""
        fenced = (f'pagewarden_secret_copies{{instance="{host.instance}",fenced="true",'
                  f'cgroup="{host.path(unit)}"}} > 0')
        self.assertTrue(fleet_hosts.poll(lambda: self.server.query(fenced), SETTLE_SECONDS),
                        self.agents[host].log())

    def status(self):
        """(exit code, {(host, cgroup, problem)}, what it printed)."""
        done = subprocess.run(
            self.fleet.monitor.inside([pagewarden.PAGEWARDEN, "fleet", "status", "--prometheus",
                                       prometheus.URL, "--window", prometheus.WINDOW, "--json"]),
            capture_output=True, text=True, check=False, timeout=60)
        if done.returncode not in (0, 1):
            return done.returncode, None, done.stderr
        rows = json.loads(done.stdout)["attention"]
        return done.returncode, {(row["host"], row["cgroup"], problem["problem"])
                                 for row in rows for problem in row["problems"]}, done.stdout

    def expect(self, problems, alerts, code):
        """All of these at one time, and nothing else, for a while."""
        since = None

        def steady():
            nonlocal since
            if problems:  # as a program does that tries again
                self.denied.lock(MIB)
            if self.status()[:2] != (code, problems) or self.server.firing() != alerts:
                since = None
                return False
            since = since or time.monotonic()
            return time.monotonic() - since > STEADY_SECONDS

        if fleet_hosts.poll(steady, SETTLE_SECONDS):
            return
        for host, agent in self.agents.items():
            print(f"--- agent of {host.name}\n{agent.log()}")
        got, rows, text = self.status()
        self.assertEqual(rows, problems, text)
        self.assertEqual(self.server.firing(), alerts)
        self.assertEqual(got, code)
        self.fail("problems and alerts came and went")

    def check_scrapes(self):
        for agent in self.agents.values():
            done = subprocess.run(["promtool", "check", "metrics"], input=agent.metrics(),
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def check_dashboard(self):
        """In the monitor's network; Grafana's interval, for scrapes of one second."""
        program = (f"import json, sys; sys.path.insert(0, {str(DEPLOY_TESTS)!r})\n"
                   "import dashboard_queries as queries\n"
                   f"print(json.dumps(queries.empty({prometheus.URL!r}, rate_interval='10s')))")
        empty = json.loads(self.fleet.monitor.output([sys.executable, "-c", program]))
        self.assertEqual(empty, [])


if __name__ == "__main__":
    harness.main()
