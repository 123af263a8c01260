# SPDX-License-Identifier: Apache-2.0
"""Hosts of a fleet on one machine: each is a network, mount and UTS namespace and a cgroup.

    with Fleet(["web1", "db1"]) as fleet:
        process = fleet.hosts[0].start(["nginx", …], unit="nginx.service")
        fleet.monitor.output(["curl", "http://10.77.0.11:9876/metrics"])

A process of its own holds the namespaces of a host. They end with it, and the links between
them with them, so that nothing outlives the test that does not outlive its cgroups.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import harness

NETWORK = "10.77.0"
PORT = 9876
# The shim and the agent meet in /run/pagewarden; its services' own files are of the test.
_HOLD = ("hostname {name} && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/pagewarden && "
         "ip link set lo up && echo ready && exec sleep 3600")


class Cgroups:
    """A subtree of cgroups below our own."""

    def __init__(self, path, directory):
        self.path = path
        self.directory = directory
        self.directory.mkdir(exist_ok=True)

    def child(self, name):
        return Cgroups(f"{self.path}/{name}", self.directory / name)

    def enter(self):
        """Moves the calling process in; for preexec_fn."""
        (self.directory / "cgroup.procs").write_text("0", encoding="ascii")

    def _all(self):
        below = [pathlib.Path(top) for top, _, _ in os.walk(self.directory)]
        return sorted(below, key=lambda path: len(path.parts), reverse=True)

    def pids(self):
        """Of the whole subtree."""
        result = []
        for directory in self._all():
            with contextlib.suppress(OSError):
                text = (directory / "cgroup.procs").read_text(encoding="ascii")
                result += [int(pid) for pid in text.split() if pid != "0"]
        return result

    def remove(self):
        """Ends all inside and removes the subtree."""
        def gone():
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for directory in self._all():
                with contextlib.suppress(OSError):
                    directory.rmdir()
            return not self.directory.exists()

        harness.wait_until(gone, f"cgroup {self.path} is empty")


class Host:
    """Namespaces, and a cgroup for what runs in them."""

    def __init__(self, name, cgroups, directory):
        self.name = name
        self.directory = directory / name
        self.directory.mkdir()
        self.machinery = cgroups.child(f"{name}-machinery")  # what is not the host's own
        self.cgroup = cgroups.child(name)
        self._children = []
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "--propagation", "private",
             "sh", "-c", _HOLD.format(name=name)],
            stdout=subprocess.PIPE, text=True, preexec_fn=self.machinery.enter)
        self._children.append(self._holder)
        if self._holder.stdout.readline().strip() != "ready":
            raise harness.HarnessError(f"cannot make the namespaces of {name}")
        self.pid = self._holder.pid

    def inside(self, command):
        """The command that runs `command` on the host."""
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-u", "--", *map(str, command)]

    def output(self, command, **options):
        return harness.run_checked(self.inside(command), **options)

    def start(self, command, unit=None, preexec=None, **options):
        """Starts `command` in the cgroup of `unit`; without one, beside the host's own."""
        cgroup = self.cgroup.child(unit) if unit else self.machinery

        def prepare():
            cgroup.enter()
            if preexec:
                preexec()

        process = subprocess.Popen(self.inside(command), preexec_fn=prepare, **options)
        self._children.append(process)
        return process

    def path(self, unit):
        """The cgroup of `unit`, as the agent names it."""
        return f"{self.cgroup.path}/{unit}"

    def reap(self):
        for child in self._children:
            for stream in (child.stdin, child.stdout):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=5)


class Fleet:
    """Hosts, and a monitor that reaches them: they have the addresses .11, .12, …"""

    def __init__(self, names):
        self._names = names
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pagewarden-fleet-", dir="/tmp"))
        self.directory.chmod(0o755)
        self._top = None
        self.hosts = []
        self.monitor = None

    def __enter__(self):
        try:
            whole = harness.Cgroup(self.directory.name)
            self._top = Cgroups(whole.path, whole.directory)
            self.monitor = Host("monitor", self._top, self.directory)
            self.monitor.output(["ip", "link", "add", "bridge0", "type", "bridge"])
            self.monitor.output(["ip", "address", "add", f"{NETWORK}.1/24", "dev", "bridge0"])
            self.monitor.output(["ip", "link", "set", "bridge0", "up"])
            for number, name in enumerate(self._names, start=11):
                self._connect(name, number)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _connect(self, name, number):
        host = Host(name, self._top, self.directory)
        self.hosts.append(host)
        host.address = f"{NETWORK}.{number}"
        host.instance = f"{host.address}:{PORT}"
        link = f"link{number}"
        self.monitor.output(["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0",
                             "netns", host.pid])
        self.monitor.output(["ip", "link", "set", link, "master", "bridge0", "up"])
        host.output(["ip", "address", "add", f"{host.address}/24", "dev", "eth0"])
        host.output(["ip", "link", "set", "eth0", "up"])

    def __exit__(self, *_):
        try:
            if self._top:
                self._top.remove()
        finally:
            for host in [*self.hosts, *([self.monitor] if self.monitor else [])]:
                host.reap()
            shutil.rmtree(self.directory)


def poll(condition, seconds, every=0.5):
    """The last value of `condition()`; ends when it is true or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(every)
