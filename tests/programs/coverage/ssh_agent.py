# SPDX-License-Identifier: Apache-2.0
"""ssh-agent: RSA, EC and Ed25519 keys, added once, which sign on request.

Debian's is setgid _ssh, so that the loader ignores LD_PRELOAD (ld.so(8), secure-execution mode).
Started with that group as its own it gains nothing from the bit, and the loader does not.
"""

import os
import signal
import subprocess

import harness
import pagewarden

from . import openssh_keys
from .program import Program

_ROUNDS = 34


class SshAgent(Program):
    name = "ssh-agent"
    needs = ("/usr/bin/ssh-agent", "/usr/bin/ssh-add", "/usr/bin/ssh-keygen", "/usr/bin/setpriv")

    def make_secrets(self):
        self._keys = openssh_keys.make_keys(self.directory)
        return [openssh_keys.secret(self._keys)]

    def start(self):
        self._socket = self.directory / "socket"
        self.daemon(["/usr/bin/ssh-agent", "-D", "-a", self._socket], self._socket.exists,
                    before=("/usr/bin/setpriv", "--regid=_ssh", "--clear-groups"))
        self._ssh_add("-q", *self._keys.values())

    def work(self):
        """A hundred signatures, which ssh-add checks, and some more: the agent encrypts its keys
        between signatures, so it is left stopped where one is in the clear."""
        self._resume()
        for _ in range(_ROUNDS):
            self._ssh_add("-T", *self._public_keys())
        client = self.enter(self._start_ssh_add("-T", *self._public_keys() * _ROUNDS * 10))
        self._cleanup.callback(client.kill)
        self._cleanup.callback(self._resume)
        harness.wait_until(self._is_stopped_with_a_key, "the agent is stopped while it signs")

    def _is_stopped_with_a_key(self):
        self._resume()
        self.process.send_signal(signal.SIGSTOP)
        return pagewarden.verify(self.cgroup, self.secrets)[1]["copies"]

    def _resume(self):
        self.process.send_signal(signal.SIGCONT)

    def _public_keys(self):
        return [f"{file}.pub" for file in self._keys.values()]

    def _ssh_add(self, *words):
        with self._start_ssh_add(*words) as client:
            pass
        if client.returncode != 0:
            raise harness.HarnessError(f"ssh-add {words[0]} : exit {client.returncode}")

    def _start_ssh_add(self, *words):
        return subprocess.Popen(["ssh-add", *words], stdin=subprocess.DEVNULL,
                                env={**os.environ, "SSH_AUTH_SOCK": str(self._socket)})
