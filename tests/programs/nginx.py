# SPDX-License-Identifier: Apache-2.0
"""Debian's nginx with fresh TLS keys, on a free port of 127.0.0.1."""

import contextlib
import http.client
import os
import signal
import ssl
import subprocess

import ab
import harness
import pagewarden

NGINX = "/usr/sbin/nginx"
POLICY = harness.ROOT / "policies" / "nginx.yaml"


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


class Nginx:
    """Debian's nginx: one master and `workers` workers, all in the set-up's cgroup."""

    def __init__(self, setup, keys, workers, fenced, policy=POLICY):
        self.setup = setup
        self.keys = keys
        self.port = harness.free_port()
        self.config = setup.directory / "nginx.conf"
        self._workers = workers
        self._write_config()
        self.command = [NGINX, "-c", str(self.config)]
        if fenced:
            self.command = pagewarden.run_command(policy, self.command)
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
            harness.wait_until(self._is_up, "nginx answers")
        except harness.HarnessError:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    def _is_up(self):
        if self._process.poll() is not None:
            raise harness.HarnessError(
                f"{self.command[0]} ended with {self._process.returncode}: {self._messages()}")
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
            self._process.wait(timeout=harness.DEADLINE_SECONDS)
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
                if harness.read_status(pid).get("PPid", "").strip() == master
                and b"worker process\0" in harness.command_line(pid)]

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
                raise harness.HarnessError(f"nginx answered {response.status}")
            response.read()
        finally:
            connection.close()

    def load_commands(self, requests):
        """The commands of `load`: half of the requests use the RSA key, half the EC key."""
        return ab.commands(f"https://127.0.0.1:{self.port}/", requests)

    def load(self, requests):
        """Makes `requests` TLS requests, four at a time, and insists that all succeed."""
        for command in self.load_commands(requests):
            ab.check(command, harness.run_checked(command))

    def reload(self):
        """HUP; returns when only new workers are left and serve."""
        old = set(self.workers())
        os.kill(self.master(), signal.SIGHUP)

        def replaced():
            new = set(self.workers())
            gone = not any(harness.is_alive(pid) for pid in old)
            return gone and len(new) == self._workers and self._answers()

        harness.wait_until(replaced, "nginx has replaced its workers")
