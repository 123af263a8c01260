# SPDX-License-Identifier: Apache-2.0
"""A running `pagewarden agent` with directories of its own, for the programme tests.

    with Agent(directory) as agent:
        agent.write("a.yaml", POLICY)
        agent.wait_for_policy("a", "Audit")
"""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading

import harness
import pagewarden


def policy(name, mode="Audit", binary="/usr/sbin/nginx", more=""):
    return f"""apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: {name}}}
spec:
  mode: {mode}
  selector: {{matchBinaries: [{binary}]}}
  rules:
    - match: {{preset: openssl-private-keys}}
{more}"""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)  # closed with the connection
        self.sock.settimeout(10)
        self.sock.connect(str(self.path))


class Agent:
    """The agent; `messages` is its stderr so far, `lines` its stdout."""

    def __init__(self, directory, *options, command=(), environment=None, policy_dirs=None,
                 preexec=None):
        self.directory = pathlib.Path(directory)
        self.policies = self.directory / "policy.d"
        self.runtime = self.directory / "run"
        self.state = self.directory / "state"
        self.socket = self.runtime / "agent.sock"
        self.port = harness.free_port()
        self.options = options
        self.command = list(command)
        self.environment = environment or {}
        self.policy_dirs = policy_dirs or [self.policies]
        self.preexec = preexec
        self.process = None
        self.lines = []
        self.messages = []

    def __enter__(self):
        self.policies.mkdir(exist_ok=True)
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def arguments(self):
        folders = [word for path in self.policy_dirs for word in ("--policy-dir", str(path))]
        return [*self.command, str(pagewarden.PAGEWARDEN), "agent", *folders,
                "--runtime-dir", str(self.runtime), "--state-dir", str(self.state),
                "--listen", f"127.0.0.1:{self.port}", *self.options]

    def start(self, ready=True, output=subprocess.PIPE):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            self.arguments(), stdout=output, stderr=output, text=True,
            env={**os.environ, **self.environment}, preexec_fn=self.preexec)
        for stream, to in ((self.process.stdout, self.lines), (self.process.stderr, self.messages)):
            if stream is None:
                continue
            threading.Thread(target=self._read, args=(stream, to), daemon=True).start()
        if ready:
            harness.wait_until(self._answers, f"the agent answers: {self.messages}")

    @staticmethod
    def _read(stream, lines):
        with stream:
            for line in stream:
                lines.append(line.rstrip("\n"))

    def _answers(self):
        if self.process.poll() is not None:
            raise harness.HarnessError(f"the agent ended: {self.messages}")
        try:
            return self.get("/v1/status")[0] == 200
        except OSError:
            return False

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=harness.DEADLINE_SECONDS)

    def get(self, target):
        """(status, text) over the Unix socket."""
        return self._get(_UnixConnection(self.socket), target)

    def get_tcp(self, target):
        return self._get(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10), target)

    @staticmethod
    def _get(connection, target):
        with contextlib.closing(connection):
            connection.request("GET", target)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def status(self):
        return json.loads(self.get("/v1/status")[1])

    def modes(self):
        """Effective modes by the names of the policies in force."""
        return {p["name"]: p["mode"] for p in self.status()["policies"]["loaded"]}

    def events(self, kind=None):
        found = map(json.loads, list(self.lines))
        return [event for event in found if kind in (None, event["type"])]

    def write(self, name, text):
        """In place, as `cp` does it."""
        (self.policies / name).write_text(text, encoding="utf-8")

    def rename(self, name, text):
        """By a new file that takes the place of the old one, as editors do it."""
        new = self.policies / f".{name}.new"
        new.write_text(text, encoding="utf-8")
        new.rename(self.policies / name)

    def wait_for(self, condition, what):
        return harness.wait_until(lambda: condition(self.status()), what)

    def wait_for_modes(self, modes):
        harness.wait_until(lambda: self.modes() == modes, f"the modes are {modes}")
