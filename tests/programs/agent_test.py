#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The agent: policies that change in every way operators change them, what it answers,
its signals, its service manager, and what it can do with fewer rights."""

import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest

import harness
import pagewarden
from agents import Agent, policy

BUDGET = """apiVersion: pagewarden/v1alpha1
kind: MemlockBudget
metadata: {{name: tests}}
spec:
  budgets:
    - name: small
      selector: {{matchCgroups: ['{cgroup}']}}
      scope: Process
      limit: 64Ki
"""

BROKEN = policy("a").replace("mode: Audit", "mdoe: Audit")


def lock_pages(size):
    """A child that locks `size` bytes until it is killed."""
    program = (f"import ctypes, mmap, signal\n"
               f"memory = mmap.mmap(-1, {size})\n"
               f"libc = ctypes.CDLL(None, use_errno=True)\n"
               f"address = ctypes.addressof(ctypes.c_char.from_buffer(memory))\n"
               f"assert libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t({size})) == 0\n"
               f"print('ready', flush=True)\nsignal.pause()\n")
    child = subprocess.Popen(["/usr/bin/python3", "-c", program], stdout=subprocess.PIPE)
    child.stdout.readline()
    return child


class AgentCase(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pagewarden-agent-", dir="/tmp"))
        self.directory.chmod(0o755)
        self.addCleanup(shutil.rmtree, self.directory)

    def agent(self, *options, **more):
        agent = Agent(self.directory, *options, **more)
        return self.enterContext(agent)

    def status_command(self, agent, *options):
        return subprocess.run(
            [str(pagewarden.PAGEWARDEN), "agent", "status", "--socket", str(agent.socket),
             *options], capture_output=True, text=True, check=False)


class Reload(AgentCase):
    def test_a_file_is_written_replaced_and_removed(self):
        agent = self.agent()
        agent.write("a.yaml", policy("a"))
        agent.wait_for_modes({"a": "Audit"})
        agent.rename("a.yaml", policy("a", "Enforce"))
        agent.wait_for_modes({"a": "Enforce"})
        (agent.policies / "a.yaml").unlink()
        agent.wait_for_modes({})

    def test_a_config_map_is_swapped_within_a_second(self):
        agent = self.agent()
        for number, mode in enumerate(("Audit", "Enforce")):
            data = agent.policies / f"..data-{number}"
            data.mkdir()
            (data / "a.yaml").write_text(policy("a", mode), encoding="utf-8")
            (agent.policies / "..data_tmp").symlink_to(data.name)
            (agent.policies / "..data_tmp").rename(agent.policies / "..data")
            started = time.monotonic()
            if number == 0:
                (agent.policies / "a.yaml").symlink_to("..data/a.yaml")
            agent.wait_for_modes({"a": mode})
            if number > 0:
                self.assertLess(time.monotonic() - started, 1.0)

    def test_a_directory_goes_and_comes_back(self):
        agent = self.agent()
        agent.write("a.yaml", policy("a"))
        agent.wait_for_modes({"a": "Audit"})
        shutil.rmtree(agent.policies)
        agent.wait_for_modes({})
        agent.policies.mkdir()
        agent.write("b.yaml", policy("b"))
        agent.wait_for_modes({"b": "Audit"})

    def test_a_directory_comes_later_and_hides_a_file(self):
        later = self.directory / "not" / "yet"
        agent = self.agent(policy_dirs=[self.directory / "policy.d", later])
        agent.write("a.yaml", policy("a"))
        agent.wait_for_modes({"a": "Audit"})
        later.mkdir(parents=True)
        (later / "a.yaml").write_text(policy("a", "Enforce"), encoding="utf-8")
        agent.wait_for_modes({"a": "Enforce"})
        (later / "a.yaml").unlink()
        (later / "a.yaml").symlink_to("/dev/null")
        agent.wait_for_modes({})

    def test_a_broken_file_keeps_the_old_set_and_is_reported_with_its_place(self):
        agent = self.agent()
        agent.write("a.yaml", policy("a"))
        agent.wait_for_modes({"a": "Audit"})
        before = agent.status()["policies"]
        agent.write("a.yaml", BROKEN)
        status = agent.wait_for(lambda s: not s["policies"]["lastReload"]["ok"] and s,
                                "the reload has failed")["policies"]
        self.assertEqual(before["hash"], status["hash"])
        self.assertEqual({"a": "Audit"}, agent.modes())
        [error] = status["lastReload"]["errors"]
        self.assertTrue(error.startswith(f"{agent.policies}/a.yaml:5:3: "), error)
        self.assertIn('did you mean "mode"?', error)
        self.assertTrue(error.endswith("[PW-P010]"), error)
        done = self.status_command(agent)
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertIn("a.yaml:5:3", done.stdout)
        agent.write("a.yaml", policy("a", "Enforce"))
        agent.wait_for_modes({"a": "Enforce"})
        self.assertEqual([], agent.status()["policies"]["lastReload"]["errors"])

    def test_sighup_reloads_without_a_change(self):
        agent = self.agent()
        before = agent.status()["policies"]["lastReload"]["time"]
        agent.process.send_signal(signal.SIGHUP)
        agent.wait_for(lambda s: s["policies"]["lastReload"]["time"] != before, "it was reloaded")

    def test_the_lowest_mode_holds(self):
        agent = self.agent("--max-mode", "Audit")
        agent.write("a.yaml", policy("a", "Enforce"))
        agent.wait_for_modes({"a": "Audit"})
        (agent.runtime / "mode").write_text("Disabled\n", encoding="ascii")
        agent.wait_for_modes({"a": "Disabled"})
        (agent.runtime / "mode").unlink()
        agent.wait_for_modes({"a": "Audit"})
        (agent.runtime / "mode").write_text("Sometimes\n", encoding="ascii")
        agent.wait_for(lambda s: "not one of" in str(s["policies"]["lastReload"]["errors"]),
                       "the wrong word is told")

    def test_the_hash_is_of_the_meaning(self):
        agent = self.agent()
        agent.write("a.yaml", policy("a"))
        agent.wait_for_modes({"a": "Audit"})
        first = agent.status()["policies"]["hash"]
        agent.write("a.yaml", "# a comment\n" + policy("a").replace("[/usr/sbin/nginx]",
                                                                    '["/usr/sbin/nginx"]'))
        attempt = agent.status()["policies"]["lastReload"]["time"]
        agent.wait_for(lambda s: s["policies"]["lastReload"]["time"] != attempt or
                       s["policies"]["lastReload"]["ok"], "it was read again")
        self.assertEqual(first, agent.status()["policies"]["hash"])
        agent.write("a.yaml", policy("a", "Enforce"))
        agent.wait_for(lambda s: s["policies"]["hash"] != first, "another meaning, another hash")


class Service(AgentCase):
    def test_answers(self):
        agent = self.agent()
        self.assertEqual((200, "ok\n"), agent.get_tcp("/healthz"))
        self.assertEqual(200, agent.get_tcp("/metrics")[0])
        self.assertEqual(404, agent.get_tcp("/v1/status")[0])
        self.assertEqual(1, agent.status()["schemaVersion"])
        self.assertEqual(0o660, stat.S_IMODE(agent.socket.stat().st_mode))
        done = self.status_command(agent)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(f"pid {agent.process.pid}", done.stdout)

    def test_status_without_an_agent(self):
        done = subprocess.run([str(pagewarden.PAGEWARDEN), "agent", "status", "--socket",
                               str(self.directory / "none.sock")],
                              capture_output=True, text=True, check=False)
        self.assertEqual(5, done.returncode)
        self.assertIn("no agent answers at", done.stderr)

    def test_a_second_one_is_refused(self):
        agent = self.agent()
        done = subprocess.run(agent.arguments(), capture_output=True, text=True, timeout=20,
                              check=False)
        self.assertEqual(5, done.returncode)
        self.assertIn(f"pid {agent.process.pid} uses {agent.runtime}", done.stderr)
        self.assertEqual(200, agent.get("/v1/status")[0])

    def test_sigterm_ends_it_cleanly(self):
        agent = self.agent()
        self.assertEqual(0, agent.stop())
        self.assertFalse(agent.socket.exists())
        harness.wait_until(lambda: len(agent.events("agent")) == 2, "start and stop were told")

    def test_after_sigkill_the_next_one_starts(self):
        agent = self.agent()
        agent.kill()
        self.assertTrue(agent.socket.exists())
        agent.start()
        self.assertEqual(200, agent.get("/v1/status")[0])

    def test_budgets_and_the_peak_of_a_child(self):
        with harness.SetUp("agent") as setup:
            agent = self.agent("--cgroup", setup.cgroup.path)
            agent.write("b.yaml", BUDGET.format(cgroup=setup.cgroup.path))
            agent.wait_for_modes({"tests": "Audit"})
            child = lock_pages(1 << 20)
            self.addCleanup(child.stdout.close)
            self.addCleanup(child.wait)
            self.addCleanup(child.kill)
            (setup.cgroup.directory / "cgroup.procs").write_text(str(child.pid), encoding="ascii")
            limits = agent.wait_for(lambda s: s["budgets"]["limits"], "the budget is seen")
            self.assertEqual("over", limits[0]["level"])
            self.assertEqual(str(child.pid), limits[0]["subject"])
            self.assertEqual(1 << 20, limits[0]["sources"][0]["usedBytes"])
            harness.wait_until(lambda: agent.events("budget"), "the budget's event is told")
            child.kill()
            agent.wait_for(lambda s: not s["budgets"]["limits"], "it is over with the process")

    def test_the_service_manager_hears_of_it(self):
        path = self.directory / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(path))
            manager.settimeout(20)
            agent = Agent(self.directory, environment={
                "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "1500000"})
            self.enterContext(agent)
            heard = self._hear(manager, {"READY=1"})
            pings = [time.monotonic() for _ in range(4) if self._hear(manager, {"WATCHDOG=1"})]
            self.assertLess(max(b - a for a, b in zip(pings, pings[1:])), 1.5)
            agent.process.send_signal(signal.SIGHUP)
            self._hear(manager, {"RELOADING=1"})
            self._hear(manager, {"READY=1"})
            # Stopped, it does not ping: what the watchdog is for.
            agent.process.send_signal(signal.SIGSTOP)
            manager.settimeout(1.2)
            with self.assertRaises(TimeoutError):
                while True:
                    self._hear(manager, {"WATCHDOG=1"})
            agent.process.send_signal(signal.SIGCONT)
            manager.settimeout(20)
            self.assertEqual(0, agent.stop())
            self._hear(manager, {"STOPPING=1"})
            self.assertTrue(heard)

    @staticmethod
    def _hear(manager, wanted):
        """Reads messages until all of `wanted` have come."""
        for _ in range(1000):
            lines = set(manager.recv(4096).decode().split("\n"))
            if wanted <= lines:
                return True
        raise harness.HarnessError(f"{wanted} was not heard")


CAPABILITIES = {"bpf": 39, "perfmon": 38, "sys_ptrace": 19, "dac_read_search": 2}


@harness.needs_root
class Rights(AgentCase):
    def effective(self, pid):
        return int(harness.read_status(pid)["CapEff"], 16)

    def test_root_gives_up_what_it_does_not_need(self):
        agent = self.agent()
        mask = sum(1 << bit for bit in CAPABILITIES.values())
        for name in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"):
            held = int(harness.read_status(agent.process.pid)[name], 16)
            self.assertEqual(0, held & ~mask, name)
        self.assertEqual("1", harness.read_status(agent.process.pid)["NoNewPrivs"].strip())
        self.assertEqual("bpf", agent.status()["source"])

    def run_as(self, uid, capabilities):
        if uid != 0:
            for name in ("policy.d", "run", "state"):
                (self.directory / name).mkdir()
                os.chown(self.directory / name, uid, uid)
        allowed = ",".join(f"+{name}" for name in capabilities)
        words = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups",
                 f"--inh-caps=-all{',' if allowed else ''}{allowed}",
                 f"--ambient-caps=-all{',' if allowed else ''}{allowed}",
                 f"--bounding-set=-all{',' if allowed else ''}{allowed}"]
        return self.agent(command=words)

    def test_root_with_the_rights_of_the_unit(self):
        status = self.run_as(0, CAPABILITIES).status()
        self.assertEqual("bpf", status["source"])
        self.assertEqual([], status["agent"]["privileges"]["missing"])

    def test_a_user_with_bpf_and_perfmon(self):
        status = self.run_as(1000, ("bpf", "perfmon")).status()
        self.assertEqual("bpf", status["source"])
        missing = [entry["capability"] for entry in status["agent"]["privileges"]["missing"]]
        self.assertEqual(["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"], missing)

    def test_a_user_with_nothing(self):
        agent = self.run_as(1000, ())
        status = agent.status()
        self.assertEqual("proc", status["source"])
        self.assertEqual(4, len(status["agent"]["privileges"]["missing"]))
        self.assertTrue(any("reading /proc instead of BPF" in gap for gap in status["gaps"]))
        self.assertTrue(any("CAP_BPF is missing" in line for line in agent.messages))


class Diff(AgentCase):
    def test_against_the_running_agent(self):
        agent = self.agent()
        agent.write("a.yaml", policy("a"))
        agent.wait_for_modes({"a": "Audit"})
        other = self.directory / "other"
        other.mkdir()
        (other / "x.yaml").write_text(policy("a", "Enforce"), encoding="utf-8")
        done = subprocess.run([str(pagewarden.PAGEWARDEN), "policy", "diff", str(other),
                               "--socket", str(agent.socket)],
                              capture_output=True, text=True, check=False)
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertIn("spec.mode: Audit -> Enforce", done.stdout)
        done = subprocess.run([str(pagewarden.PAGEWARDEN), "policy", "diff", str(agent.policies),
                               "--socket", str(agent.socket), "--json"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual([], json.loads(done.stdout)["changes"])


if __name__ == "__main__":
    harness.interrupt_on_terminate()
    unittest.main()
