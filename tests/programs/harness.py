# SPDX-License-Identifier: Apache-2.0
"""Runs real daemons, plain or under `pagewarden run`, for the programme tests.

Every set-up lives in a memory cgroup and a directory of its own, so that all
of its processes are found, and ended, by pid:

    with SetUp("nginx") as setup:
        keys = make_keys(setup.directory)
        with Nginx(setup, keys, workers=2, fenced=True) as nginx:
            nginx.load(200)
            report = verify(setup.cgroup, keys)

Needs root: cgroups, www-data, and other users' memory.
"""

import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PAGEWARDEN_BUILD", ROOT / "build"))
PAGEWARDEN = BUILD / "agent" / "pagewarden"
TOOLS = BUILD / "tests" / "tools"
NGINX_POLICY = ROOT / "policies" / "nginx.yaml"
NGINX = "/usr/sbin/nginx"
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
    return min(filter(None, map(memlock_limit, pids)), default=None)


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


# --- keys ------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Key:
    kind: str  # "RSA" or "EC"
    key: pathlib.Path
    certificate: pathlib.Path


def make_keys(directory):
    """Fresh RSA-2048 and P-256 keys with self-signed certificates."""
    algorithms = {
        "RSA": ["-newkey", "rsa:2048"],
        "EC": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    }
    keys = []
    for kind, algorithm in algorithms.items():
        key = directory / f"{kind.lower()}.key"
        certificate = directory / f"{kind.lower()}.crt"
        run_checked(["openssl", "req", "-x509", *algorithm, "-nodes", "-subj", "/CN=localhost",
                     "-days", "1", "-keyout", key, "-out", certificate])
        key.chmod(0o600)
        keys.append(Key(kind, key, certificate))
    return keys


# --- nginx -----------------------------------------------------------------

_NGINX_CONFIG = """\
daemon off;
master_process on;
user www-data;
worker_processes {workers};
pid {directory}/nginx.pid;
error_log {directory}/error.log notice;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name localhost;
{certificates}
        location / {{ return 200 "fenced or not, it answers\\n"; }}
    }}
}}
"""


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """Debian's nginx: one master and `workers` workers, all in the set-up's cgroup."""

    def __init__(self, setup, keys, workers, fenced):
        self.setup = setup
        self.keys = keys
        self.port = _free_port()
        self.config = setup.directory / "nginx.conf"
        self._workers = workers
        self._write_config()
        self.command = [NGINX, "-c", str(self.config)]
        if fenced:
            self.command = [str(PAGEWARDEN), "run", "--policy", str(NGINX_POLICY), "--",
                            *self.command]
        self._process = None

    def _write_config(self):
        certificates = "\n".join(
            f"        ssl_certificate {key.certificate};\n        ssl_certificate_key {key.key};"
            for key in self.keys)
        self.config.write_text(
            _NGINX_CONFIG.format(workers=self._workers, directory=self.setup.directory,
                                 port=self.port, certificates=certificates),
            encoding="utf-8")

    def __enter__(self):
        with open(self.setup.directory / "output", "wb") as output:
            self._process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                             stdout=output, stderr=subprocess.STDOUT,
                                             preexec_fn=self.setup.cgroup.enter)
        try:
            wait_until(self._is_up, "nginx answers")
        except HarnessError:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def _is_up(self):
        if self._process.poll() is not None:
            raise HarnessError(f"{self.command[0]} ended with {self._process.returncode}: "
                               f"{self._messages()}")
        return len(self.workers()) == self._workers and self._answers()

    def _messages(self):
        names = ("output", "error.log")
        files = [self.setup.directory / name for name in names]
        return "\n".join(file.read_text(encoding="utf-8", errors="replace")[-2000:]
                         for file in files if file.exists())

    def _answers(self):
        try:
            self.request()
        except OSError:
            return False
        return True

    def _stop(self):
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.master() or self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(timeout=DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def master(self):
        """The master's pid; None before it has written its pid file."""
        try:
            return int((self.setup.directory / "nginx.pid").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def workers(self):
        """Pids of the workers that serve; those that are shutting down do not count."""
        master = str(self.master())
        return [pid for pid in self.setup.cgroup.pids()
                if read_status(pid).get("PPid", "").strip() == master
                and b"worker process\0" in _command_line(pid)]

    def pids(self):
        """Master and workers, the master first."""
        return [self.master(), *self.workers()]

    def request(self):
        """One TLS request on a fresh connection, answered by 200."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5,
                                                 context=context)
        try:
            connection.request("GET", "/")
            response = connection.getresponse()
            if response.status != 200:
                raise HarnessError(f"nginx answered {response.status}")
            response.read()
        finally:
            connection.close()

    def load_commands(self, requests):
        """The commands of `load`: half of the requests use the RSA key, half the EC key."""
        url = f"https://127.0.0.1:{self.port}/"
        half = requests // 2
        return [["ab", "-q", "-n", str(count), "-c", "4", "-f", "TLS1.2", "-Z", cipher, url]
                for cipher, count in (("ECDHE-RSA-AES128-GCM-SHA256", half),
                                      ("ECDHE-ECDSA-AES128-GCM-SHA256", requests - half))]

    def load(self, requests):
        """Makes `requests` TLS requests, four at a time, and insists that all succeed."""
        for command in self.load_commands(requests):
            self._load(command)

    @staticmethod
    def _load(command):
        requests = int(command[command.index("-n") + 1])
        report = run_checked(command)
        complete = int(re.search(r"Complete requests:\s+(\d+)", report).group(1))
        failed = int(re.search(r"Failed requests:\s+(\d+)", report).group(1))
        if complete != requests or failed != 0 or "Non-2xx responses" in report:
            raise HarnessError(f"ab : {complete} of {requests} requests done, {failed} failed")

    def reload(self):
        """HUP; returns when only new workers are left and serve."""
        old = set(self.workers())
        os.kill(self.master(), signal.SIGHUP)

        def replaced():
            new = set(self.workers())
            gone = not any(is_alive(pid) for pid in old)
            return gone and len(new) == self._workers and self._answers()

        wait_until(replaced, "nginx has replaced its workers")


def _command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() + b"\0"
    except OSError:
        return b""


# --- pagewarden ------------------------------------------------------------


def verify_command(cgroup, keys):
    """The command that asks for every copy of `keys` in `cgroup`."""
    secrets = [word for key in keys for word in ("--secret", str(key.key))]
    return [str(PAGEWARDEN), "verify", "--cgroup", cgroup.path, *secrets]


def verify(cgroup, keys):
    """(exit code, JSON) of `verify`; exit 0: all fenced, 1: some not, 5: none found."""
    command = [*verify_command(cgroup, keys), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 5):
        raise HarnessError(f"verify : exit {done.returncode}: {done.stderr.strip()}")
    return done.returncode, json.loads(done.stdout)


def audit_command(cgroup):
    """The command that shows the audit's row of `cgroup`."""
    return [str(PAGEWARDEN), "audit", "--cgroup", cgroup.path]


def audit(cgroup):
    """The entry of `cgroup` in `audit --json`."""
    report = json.loads(run_checked([*audit_command(cgroup), "--json"]))
    for entry in report["cgroups"]:
        if entry["path"] == cgroup.path:
            return entry
    raise HarnessError(f"audit does not show cgroup {cgroup.path}")


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
