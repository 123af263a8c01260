# SPDX-License-Identifier: Apache-2.0
"""ssh-agent: RSA, EC and Ed25519 keys, added once, which sign on request.

Debian's is setgid _ssh, so that the loader ignores LD_PRELOAD (ld.so(8), secure-execution mode).
Started with that group as its own it gains nothing from the bit, and the loader does not.
"""

import os

import harness

from . import openssh_keys
from .program import Program

_ROUNDS = 34


class SshAgent(Program):
    name = "ssh-agent"
    needs = ("/usr/bin/ssh-agent", "/usr/bin/ssh-add", "/usr/bin/ssh-keygen", "/usr/bin/setpriv")

    def make_secrets(self):
        self._keys = openssh_keys.make_keys(self.directory)
        return openssh_keys.secrets(self._keys)

    def start(self):
        self._socket = self.directory / "socket"
        self.daemon(["/usr/bin/ssh-agent", "-D", "-a", self._socket], self._socket.exists,
                    before=("/usr/bin/setpriv", "--regid=_ssh", "--clear-groups"))
        self._ssh_add("-q", *self._keys.values())

    def work(self):
        """A hundred signatures, which ssh-add checks."""
        for _ in range(_ROUNDS):
            self._ssh_add("-T", *(f"{file}.pub" for file in self._keys.values()))

    def _ssh_add(self, *words):
        harness.run_checked(["ssh-add", *words],
                            env={**os.environ, "SSH_AUTH_SOCK": str(self._socket)})
