# SPDX-License-Identifier: Apache-2.0
"""sshd: RSA, EC and Ed25519 host keys, logins by password, one session that stays open."""

import contextlib
import os
import signal
import subprocess

import harness
import openssh
from credentials import new_password

from . import openssh_keys
from .program import Program, listens

_USER = "pagewarden-login"
_KEY_SCANS = 32
_ALGORITHMS = ("rsa-sha2-512", "ecdsa-sha2-nistp256", "ssh-ed25519")
_SSHD = "/usr/sbin/sshd"
_CONFIG = """\
ListenAddress 127.0.0.1:{port}
{host_keys}
PidFile none
UsePAM yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
"""


class Sshd(Program):
    name = "sshd"
    fast = False
    needs = (_SSHD, "/usr/bin/ssh", "/usr/bin/sshpass", "/usr/bin/ssh-keygen",
             "/usr/bin/ssh-keyscan", "/usr/sbin/useradd", "/usr/sbin/chpasswd")

    def make_secrets(self):
        self._password = new_password()
        self._host_keys = openssh_keys.make_keys(self.directory)
        return [openssh_keys.secret(self._host_keys)]

    def start(self):
        self.enter(_user(self._password))
        self.enter(openssh.privilege_separation_directory())
        self.port = harness.free_port()
        host_keys = "\n".join(f"HostKey {file}" for file in self._host_keys.values())
        config = self.directory / "sshd_config"
        config.write_text(_CONFIG.format(port=self.port, host_keys=host_keys), encoding="utf-8")
        self.daemon([_SSHD, "-D", "-e", "-f", config], lambda: listens(self.port))

    def work(self):
        """A hundred key exchanges, some of them of logins, and a session that stays."""
        for _ in range(_KEY_SCANS):
            harness.run_checked(["ssh-keyscan", "-p", self.port, "-t", "rsa,ecdsa,ed25519",
                                 "127.0.0.1"])
        for algorithm in _ALGORITHMS:
            self._check_login(algorithm)
        self._open_session()

    def reload(self):
        """HUP: the listener executes itself again."""
        starts = self._starts()
        os.kill(self.process.pid, signal.SIGHUP)
        harness.wait_until(lambda: self._starts() > starts, "sshd listens again")

    def _starts(self):
        return self.output(_SSHD).count("Server listening on")

    def _ssh(self, *words):
        return ["sshpass", "-e", "ssh", "-F", "none", "-p", str(self.port),
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR", "-o", "PreferredAuthentications=password",
                *words]

    def _environment(self):
        return {**os.environ, "SSHPASS": self._password}

    def _check_login(self, algorithm):
        name = harness.run_checked(self._ssh("-o", f"HostKeyAlgorithms={algorithm}",
                                             f"{_USER}@127.0.0.1", "id -un"),
                                   env=self._environment())
        if name.strip() != _USER:
            raise harness.HarnessError(f"sshd : logged in as {name!r}")

    def _open_session(self):
        """One that stays: its processes are searched as well."""
        session = self.enter(subprocess.Popen(
            self._ssh(f"{_USER}@127.0.0.1", "echo open; cat"), env=self._environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"))
        if session.stdout.readline() != "open\n":
            raise harness.HarnessError("sshd : no session")


@contextlib.contextmanager
def _user(password):
    """A user of our own who can log in; none of the machine's is touched."""
    harness.run_checked(["useradd", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh",
                         "--no-user-group", "--gid", "nogroup", _USER])
    try:
        harness.run_checked(["chpasswd"], input=f"{_USER}:{password}\n")
        yield
    finally:
        harness.run_checked(["userdel", _USER])
