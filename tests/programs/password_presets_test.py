#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The presets for passwords of database clients: real servers, clients that stay connected.

The clients' libraries read the password from a file, so that every copy is a library's.
"""

import contextlib
import subprocess
import unittest

import harness
import pagewarden
from coverage.postgres import Postgres
from coverage.program import Program, running
from credentials import new_password

POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: client}}
spec:
  rules:
    - match: {{preset: {preset}}}
"""

# No program in Debian's own packages for the client: its `mariadb` has the library within.
MYSQL_CLIENT = """\
import ctypes, sys
library = ctypes.CDLL("libmariadb.so.3")
library.mysql_init.restype = ctypes.c_void_p
library.mysql_init.argtypes = [ctypes.c_void_p]
library.mysql_options.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p]
library.mysql_real_connect.restype = ctypes.c_void_p
library.mysql_real_connect.argtypes = [ctypes.c_void_p, *[ctypes.c_char_p] * 4, ctypes.c_uint,
                                       ctypes.c_char_p, ctypes.c_ulong]
library.mysql_error.restype = ctypes.c_char_p
library.mysql_error.argtypes = [ctypes.c_void_p]
MYSQL_READ_DEFAULT_FILE = 4
connection = library.mysql_init(None)
library.mysql_options(connection, MYSQL_READ_DEFAULT_FILE, sys.argv[1].encode())
if not library.mysql_real_connect(connection, *[None] * 4, 0, None, 0):
    sys.exit(library.mysql_error(connection).decode())
print("connected", flush=True)
sys.stdin.read()
"""


class MariaDb(Program):
    """A fresh server with one user, alice; plain."""

    name = "mariadb"
    needs = ("/usr/sbin/mariadbd", "/usr/bin/mariadb-install-db", "/usr/bin/mariadb")

    def make_secrets(self):
        self.password = new_password()
        return [self.text_secret("password", self.password)]

    def start(self):
        data = self.directory / "data"
        socket = self.directory / "socket"
        data.mkdir()
        harness.run_checked(["mariadb-install-db", "--no-defaults", f"--datadir={data}",
                             "--user=root", "--skip-test-db"])
        self.daemon(["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={data}", "--user=root",
                     f"--socket={socket}", "--skip-networking"], socket.exists)
        harness.run_checked(["mariadb", "--no-defaults", f"--socket={socket}", "-e",
                             f"CREATE USER alice IDENTIFIED BY '{self.password}'"])
        self.options = self.directory / "client.cnf"
        self.options.write_text(f"[client]\nuser=alice\npassword={self.password}\n"
                                f"socket={socket}\n", encoding="ascii")


@contextlib.contextmanager
def client(setup, preset, command, request=""):
    """`command`, connected; fenced by `preset` if there is one."""
    if preset:
        policy = setup.directory / "policy.yaml"
        policy.write_text(POLICY.format(preset=preset), encoding="ascii")
        command = pagewarden.run_command(policy, command)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii",
                          preexec_fn=setup.cgroup.enter) as process:
        process.stdin.write(request)
        process.stdin.flush()
        if process.stdout.readline() != "connected\n":
            raise harness.HarnessError(f"{command[-1]} : not connected")
        yield


@harness.needs_root
class PasswordPresetsTest(unittest.TestCase):

    def assert_fenced(self, secret, preset, command, request=""):
        with harness.SetUp("client") as setup:
            with client(setup, None, command, request):
                plain = pagewarden.verify(setup.cgroup, [secret])[1]["summary"]
            self.assertGreater(plain["unlocked"], 0)
            with client(setup, preset, command, request):
                _, report = pagewarden.verify(setup.cgroup, [secret])
            self.assertGreater(report["summary"]["fenced"], 0)
            self.assertEqual([copy for copy in report["copies"] if not copy["fenced"]], [])

    def start(self, program):
        if program.missing():
            self.skipTest(f"not on this machine: {', '.join(program.missing())}")
        return self.enterContext(running(program))

    def test_postgres(self):
        server = self.start(Postgres)
        passwords = server.directory / "pgpass"
        passwords.write_text(f"*:*:*:*:{server.password}\n", encoding="ascii")
        passwords.chmod(0o600)
        self.assert_fenced(
            server.secrets[-1], "passwords-postgres",
            ["/usr/bin/psql", "-XAtq", f"host=127.0.0.1 port={server.port} user=alice "
             f"dbname=postgres passfile={passwords}"], "\\echo connected\n")

    def test_mysql(self):
        server = self.start(MariaDb)
        self.assert_fenced(server.secrets[0], "passwords-mysql",
                           ["/usr/bin/python3", "-c", MYSQL_CLIENT, str(server.options)])


if __name__ == "__main__":
    harness.main()
