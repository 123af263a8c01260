#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Programs under `pin: {process: true}`, as nobody and under three limits: they work
as before, and the audit says what is locked and what is not. The same programs with
mlockall(2) are the control: there they fail, or have children without any lock."""

import contextlib
import http.client
import pathlib
import shutil
import signal
import socket
import subprocess
import unittest

import harness
import pagewarden

MLOCKALL = harness.BUILD / "tests" / "programs" / "libmlockall.so"
NOBODY = 65534
LIMITS = {"64 KiB": 64 << 10, "8 MiB": 8 << 20, "none": None}
POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: pin-process}
spec:
  pin: {process: true}
"""
# Raising the limit itself takes a right that not every root has; this one lifts it.
UNLIMITED = ["--inh-caps=+ipc_lock", "--ambient-caps=+ipc_lock"]
AS_NOBODY = ["/usr/bin/setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
PYTHON = """\
import hashlib, ssl, subprocess, sys, threading
table = {i: str(i) * 10 for i in range(100_000)}
done = []
threads = [threading.Thread(target=lambda: done.append(hashlib.sha256(b'x' * 4_000_000)))
           for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
assert len(done) == 8 and table[77] == '77' * 10
assert subprocess.run(['/bin/true']).returncode == 0
ssl.create_default_context()
print('works', flush=True)
sys.stdin.read()
"""
NGINX = """\
daemon off;
worker_processes 2;
pid {directory}/pid;
error_log {directory}/log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {directory}/a;
    proxy_temp_path {directory}/b;
    fastcgi_temp_path {directory}/c;
    uwsgi_temp_path {directory}/d;
    scgi_temp_path {directory}/e;
    server {{ listen 127.0.0.1:{port}; root {directory}; }}
}}
"""


class Broken(Exception):
    """The program does not do its work."""


def need(condition, what):
    if not condition:
        raise Broken(what)


class Program:
    """A program in a directory of its own; `works` raises Broken if it does not."""

    def __init__(self, directory):
        self.directory = directory
        self.port = harness.free_port()

    def connects(self):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False


class Nginx(Program):
    def command(self):
        (self.directory / "conf").write_text(
            NGINX.format(directory=self.directory, port=self.port), encoding="ascii")
        (self.directory / "page").write_bytes(b"x" * (1 << 20))
        return ["/usr/sbin/nginx", "-e", "stderr", "-c", self.directory / "conf"]

    def works(self):
        for _ in range(50):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/page")
                need(connection.getresponse().read() == b"x" * (1 << 20), "the page is wrong")
            except (OSError, http.client.HTTPException) as error:
                raise Broken(f"no answer: {error}") from error
            finally:
                connection.close()


class Redis(Program):
    def command(self):
        return ["/usr/bin/redis-server", "--bind", "127.0.0.1", "--port", self.port, "--dir",
                self.directory, "--save", ""]

    def works(self):
        lines = "".join(f"SET k{i} {'v' * 500}{i}\r\n" for i in range(10_000))
        done = subprocess.run(["/usr/bin/redis-cli", "-p", str(self.port), "--pipe"], input=lines,
                              capture_output=True, text=True, timeout=20, check=False)
        need("errors: 0, replies: 10000" in done.stdout, done.stdout + done.stderr)
        saved = subprocess.run(["/usr/bin/redis-cli", "-p", str(self.port), "save"],
                               capture_output=True, text=True, timeout=20, check=False)
        need(saved.stdout.strip() == "OK", saved.stdout + saved.stderr)


class Python(Program):
    def command(self):
        (self.directory / "work.py").write_text(PYTHON, encoding="ascii")
        return ["/usr/bin/python3", self.directory / "work.py"]

    def connects(self):
        return (self.directory / "stdout").stat().st_size > 0

    def works(self):
        need((self.directory / "stdout").read_text(encoding="ascii") == "works\n", "it says nothing")


class Postgres(Program):
    def connects(self):
        ready = subprocess.run([POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p",
                                str(self.port)], check=False)
        return ready.returncode == 0

    def command(self):
        data = self.directory / "data"
        harness.run_checked([*AS_NOBODY, POSTGRES / "initdb", "-D", data, "--auth=trust", "-U",
                             "nobody", "--no-sync", "--locale=C"])
        return [POSTGRES / "postgres", "-D", data, "-h", "127.0.0.1", "-p", self.port, "-k", "",
                "-c", "jit=off", "-c", "shared_buffers=16MB"]

    def works(self):
        query = "SELECT count(*), sum(length(md5(i::text))) FROM generate_series(1, 200000) i"
        for _ in range(5):
            done = subprocess.run(
                [POSTGRES / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "nobody", "-At",
                 "-c", query, "postgres"], capture_output=True, text=True, timeout=20, check=False)
            need(done.stdout.strip() == "200000|6400000", done.stderr or done.stdout)


@harness.needs_root
class PinProcessTest(unittest.TestCase):
    def setUp(self):
        self.set_up = self.enterContext(harness.SetUp("pin"))
        self.policy = self.set_up.directory / "policy.yaml"
        self.policy.write_text(POLICY, encoding="ascii")

    @contextlib.contextmanager
    def running(self, kind, limit, launch):
        """A program of this kind as nobody, once it is ready."""
        directory = self.set_up.directory / f"{kind.__name__}-{limit}"
        directory.mkdir()
        shutil.chown(directory, NOBODY, NOBODY)
        program = kind(directory)
        limited = UNLIMITED if limit is None else []
        prlimit = [] if limit is None else ["/usr/bin/prlimit", f"--memlock={limit}:{limit}"]
        command = [*map(str, launch), *prlimit, *AS_NOBODY, *limited, *map(str, program.command())]
        with open(directory / "stdout", "wb") as stdout, open(directory / "stderr", "wb") as stderr:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr,
                                       preexec_fn=self.set_up.cgroup.enter)
        try:
            harness.wait_until(lambda: process.poll() is not None or program.connects(),
                               f"{kind.__name__} is ready")
            if process.poll() is not None:
                errors = (directory / "stderr").read_text(encoding="utf-8", errors="replace")
                raise Broken(f"it ended with {process.returncode}: {errors[-400:]}")
            yield program
        finally:
            process.stdin.close()
            process.send_signal(signal.SIGINT if kind is Postgres else signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
            shutil.rmtree(directory)

    def check_account(self, limit):
        """The audit's figures against the kernel's, of each process that is pinned."""
        processes = [process for process in pagewarden.audit(self.set_up.cgroup)["processes"]
                     if process.get("shim", {}).get("policy") == "pin-process"]
        self.assertTrue(processes)
        for process in processes:
            locked = harness.locked_bytes(process["pid"])
            pinned = process["shim"]["pinned"]
            self.assertGreater(pinned["lockedBytes"], 16 << 10, process["comm"])
            self.assertLessEqual(pinned["lockedBytes"], locked, process["comm"])
            if limit is None:
                self.assertGreater(locked, 2 << 20)
            else:
                self.assertLessEqual(locked, limit)
        return processes

    def check(self, kind):
        for name, limit in LIMITS.items():
            with self.subTest(limit=name):
                launch = pagewarden.run_command(self.policy, [])
                with self.running(kind, limit, launch) as program:
                    program.works()
                    processes = self.check_account(limit)
                    program.works()
                unlocked = max(p["shim"]["pinned"]["unlockedBytes"] for p in processes)
                locked = min(p["shim"]["pinned"]["lockedBytes"] for p in processes)
                print(f"{kind.__name__}, limit {name}: {len(processes)} processes, at least "
                      f"{locked >> 10} KiB pinned, at most {unlocked >> 10} KiB not")
                if limit == 64 << 10:
                    self.assertGreater(unlocked, 0)

    def fails_with_mlockall(self, kind):
        """Whether it breaks under 8 MiB with everything locked as it comes, or has a
        process that holds nothing locked."""
        launch = ["/usr/bin/env", f"LD_PRELOAD={MLOCKALL}"]
        try:
            with self.running(kind, LIMITS["8 MiB"], launch) as program:
                program.works()
                locked = [harness.locked_bytes(pid) for pid in self.set_up.cgroup.pids()]
                print(f"{kind.__name__} with mlockall: {locked} bytes locked")
                return 0 in locked
        except Broken as broken:
            print(f"{kind.__name__} with mlockall: {str(broken).strip()[-120:]}")
            return True

    def test_nginx(self):
        self.check(Nginx)

    def test_redis(self):
        self.check(Redis)

    def test_python(self):
        self.check(Python)

    def test_postgres(self):
        self.check(Postgres)

    def test_mlockall_is_no_substitute(self):
        for kind in (Nginx, Redis, Python, Postgres):
            with self.subTest(program=kind.__name__):
                self.assertTrue(self.fails_with_mlockall(kind))


if __name__ == "__main__":
    harness.main()
