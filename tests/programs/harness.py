# SPDX-License-Identifier: Apache-2.0
"""Runs real daemons, plain or under `pagewarden run`, for the programme tests.

Every set-up lives in a memory cgroup and a directory of its own, so that all
of its processes are found, and ended, by pid:

    with harness.SetUp("nginx") as setup:
        keys = make_keys(setup.directory)
        with Nginx(setup, keys, workers=2, fenced=True) as nginx:
            nginx.load(200)
            code, report = pagewarden.verify(setup.cgroup, keys)

Needs root: cgroups, www-data, and other users' memory.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PAGEWARDEN_BUILD", ROOT / "build"))
DEADLINE_SECONDS = 20


class HarnessError(Exception):
    """The set-up itself failed; says what and why."""


def run_checked(command, **options):
    """Runs `command`; its output is part of the error when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, **options)
    if done.returncode != 0:
        raise HarnessError(f"{command[0]} : exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def wait_until(condition, what):
    """Polls until `condition()` is true; returns its value."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise HarnessError(f"waited {DEADLINE_SECONDS} s in vain until {what}")


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- processes -------------------------------------------------------------


def read_status(pid):
    """The fields of /proc/PID/status; empty when the process is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def locked_bytes(pid):
    """VmLck, the kernel's mm->locked_vm (proc(5)); 0 when the process is gone."""
    return int(read_status(pid).get("VmLck", "0 kB").split()[0]) * 1024


def memlock_limit(pid):
    """The soft RLIMIT_MEMLOCK in bytes; None is unlimited."""
    text = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    soft = re.search(r"^Max locked memory +(\S+)", text, re.M).group(1)
    return None if soft == "unlimited" else int(soft)


def tightest_limit(pids):
    """The lowest memlock_limit of `pids`; None when none has one."""
    limits = map(memlock_limit, pids)
    return min((limit for limit in limits if limit is not None), default=None)


def command_line(pid):
    """/proc/PID/cmdline, NUL-terminated; only that when the process is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() + b"\0"
    except OSError:
        return b"\0"


def is_alive(pid):
    return read_status(pid).get("State", "X")[0] not in "XZ"


# --- cgroups ---------------------------------------------------------------


def _memory_hierarchy():
    """(mount point, own path) of the v1 memory controller, else of v2."""
    mounts = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    own = dict(line.split(":", 2)[1:] for line in
               pathlib.Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines())
    v2_mount = None
    for line in mounts:
        _, mount, kind, options = line.split()[:4]
        if kind == "cgroup" and "memory" in options.split(","):
            path = next((p for names, p in own.items() if "memory" in names.split(",")), "/")
            return pathlib.Path(mount), path
        if kind == "cgroup2":
            v2_mount = mount
    if v2_mount is None:
        raise HarnessError("no cgroup file system is mounted")
    return pathlib.Path(v2_mount), own.get("", "/")


class Cgroup:
    """A cgroup below our own, so that no limit set on us is escaped.

    `path` is what /proc/PID/cgroup shows and `pagewarden` prints; `directory`
    is where it is mounted.
    """

    def __init__(self, name):
        mount, own = _memory_hierarchy()
        if not (mount / own.strip("/")).is_dir():  # a container that sees the host's paths
            own = "/"
        self.path = f"{own.rstrip('/')}/{name}"
        self.directory = mount / self.path.strip("/")
        self.directory.mkdir()

    def enter(self):
        """Moves the calling process in; for preexec_fn."""
        (self.directory / "cgroup.procs").write_text("0", encoding="ascii")

    def pids(self):
        text = (self.directory / "cgroup.procs").read_text(encoding="ascii")
        return sorted(int(pid) for pid in text.split() if is_alive(int(pid)))

    def remove(self):
        """Ends what is still inside and removes the cgroup."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

        def removed():
            try:
                self.directory.rmdir()
            except OSError:
                return False
            return True

        wait_until(removed, f"cgroup {self.path} is empty")


class SetUp:
    """A cgroup and a temporary directory; both are gone afterwards."""

    def __init__(self, name):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"pagewarden-{name}-", dir="/tmp"))
        self.directory.chmod(0o755)  # www-data passes through
        try:
            self.cgroup = Cgroup(self.directory.name)
        except OSError as error:
            shutil.rmtree(self.directory)
            raise HarnessError(f"cannot create a cgroup : {error}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cgroup.remove()
        shutil.rmtree(self.directory)


# --- test programs ---------------------------------------------------------


def needs_root(case):
    """Class decorator: skips, with the reason, where the set-up cannot run."""
    return unittest.skipUnless(
        os.geteuid() == 0, "not root: needs cgroups, www-data and other users' memory")(case)


def interrupt_on_terminate():
    """Makes SIGTERM unwind the stack, so that swap files and cgroups are removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def main():
    """unittest.main() for meson: exit 77, with the reasons, when all was skipped."""
    interrupt_on_terminate()
    program = unittest.main(module="__main__", verbosity=2, exit=False)
    result = program.result
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    sys.exit(77 if len(result.skipped) >= result.testsRun else 0)


def main_with_own_run():
    """main(), in a mount namespace whose /run is empty: the host's policies, images and agent
    play no part."""
    if os.geteuid() == 0 and "PAGEWARDEN_OWN_RUN" not in os.environ:
        script = 'mount -t tmpfs -o mode=755 tmpfs /run && exec "$0" "$@"'
        os.environ["PAGEWARDEN_OWN_RUN"] = "1"
        os.execvp("unshare", ["unshare", "-m", "sh", "-c", script, sys.executable, *sys.argv])
    main()
