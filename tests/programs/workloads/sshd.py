# SPDX-License-Identifier: Apache-2.0
"""sshd with its sandboxed, privilege-separated children: logins by key, scp there and back.

As user postgres, whom Debian gives a shell; without a password, only PAM lets it in.
"""

import random
import shutil
import signal
import socket

import harness
import openssh

from .workload import Workload

_LOGINS = 6
_USER = "postgres"
_FILE_BYTES = 8 << 20
_CONFIG = """\
ListenAddress 127.0.0.1:{port}
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/key.pub
PidFile none
StrictModes no
UsePAM yes
PasswordAuthentication no
Subsystem sftp internal-sftp
"""


class Sshd(Workload):
    name = "sshd"
    work = f"{_LOGINS} logins by key, {_FILE_BYTES >> 20} MiB by scp there and back"
    programs = ("/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/scp", "/usr/bin/ssh-keygen",
                "/usr/lib/postgresql/15/bin/postgres")
    fast = True

    def prepare(self, inputs):
        (inputs / "file").write_bytes(random.Random(3).randbytes(_FILE_BYTES))

    def run(self, session, inputs):
        directory = session.directory
        port = harness.free_port()
        for key in ("host_key", "key"):
            session.run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                         directory / key])
        (directory / "sshd_config").write_text(_CONFIG.format(port=port, directory=directory),
                                               encoding="ascii")
        (directory / "known_hosts").write_text(
            f"[127.0.0.1]:{port} {(directory / 'host_key.pub').read_text(encoding='ascii')}",
            encoding="ascii")
        server = ["/usr/sbin/sshd", "-D", "-e", "-f", directory / "sshd_config"]
        with openssh.privilege_separation_directory(), \
                session.daemon(server, lambda: _listens(port), stop_signal=signal.SIGTERM):
            return self._use(session, port, inputs / "file")

    @staticmethod
    def _use(session, port, file):
        directory = session.directory
        there = directory / "there"
        there.mkdir()
        shutil.chown(there, _USER)
        options = ["-F", "none", "-i", directory / "key", "-o", "BatchMode=yes",
                   "-o", "LogLevel=ERROR", "-o", "StrictHostKeyChecking=yes",
                   "-o", f"UserKnownHostsFile={directory}/known_hosts"]
        ssh = ["/usr/bin/ssh", *options, "-p", port, f"{_USER}@127.0.0.1"]
        outputs = {session.run([*ssh, "id -un; seq 1 100000 | sha256sum"])
                   for _ in range(_LOGINS)}
        if len(outputs) != 1:
            raise harness.HarnessError(f"sshd : logins differ: {outputs}")
        scp = ["/usr/bin/scp", *options, "-P", port]
        session.run([*scp, file, f"{_USER}@127.0.0.1:{there}/file"])
        session.run([*scp, f"{_USER}@127.0.0.1:{there}/file", directory / "back"])
        if (directory / "back").read_bytes() != file.read_bytes():
            raise harness.HarnessError("sshd : the file came back changed")
        return outputs.pop()


def _listens(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
