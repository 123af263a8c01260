# SPDX-License-Identifier: Apache-2.0
"""postgres: TLS with an RSA key, a role that logs in by SCRAM with its password."""

import os
import shutil
import signal
import subprocess

import harness
from credentials import make_key, new_password

from .program import Program

_BIN = "/usr/lib/postgresql/15/bin"
_POSTGRES = f"{_BIN}/postgres"
_AS_POSTGRES = ("/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")
_LOGINS = 100
# Shared memory is locked: it must fit into the 8 MiB that user postgres may lock.
_CONFIG = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
ssl = on
shared_buffers = 1MB
max_connections = 20
ssl_cert_file = '{certificate}'
ssl_key_file = '{key}'
"""


class Postgres(Program):
    name = "postgres"
    needs = (_POSTGRES, f"{_BIN}/initdb", f"{_BIN}/psql", f"{_BIN}/pgbench",
             "/usr/bin/setpriv")

    def make_secrets(self):
        self._key = make_key(self.directory, "RSA")
        shutil.chown(self._key.key, "postgres", "postgres")
        self.password = new_password()
        return [self._key.secret, self.text_secret("password", self.password)]

    def start(self):
        self.port = harness.free_port()
        data = self._own_directory("data")
        self._make_cluster(data)
        environment = {
            "POSTGRES_PASSWORD": self.password,  # as containers have it
            "XDG_RUNTIME_DIR": str(self._own_directory("run")),  # for the policy's image
        }
        self.daemon([_POSTGRES, "-D", data, "-p", self.port], self._is_ready, before=_AS_POSTGRES,
                    stop_signal=signal.SIGINT, environment=environment)
        self._create_role()

    def _own_directory(self, name):
        """One that belongs to user postgres."""
        directory = self.directory / name
        directory.mkdir(mode=0o700)
        shutil.chown(directory, "postgres", "postgres")
        return directory

    def _make_cluster(self, data):
        """A cluster of user postgres, whose own password is the secret as well."""
        password = self.directory / "initdb.password"
        password.write_text(self.password, encoding="ascii")
        shutil.chown(password, "postgres", "postgres")
        harness.run_checked([*_AS_POSTGRES, f"{_BIN}/initdb", "-D", data, "-A", "scram-sha-256",
                             f"--pwfile={password}", "--no-sync", "--locale=C"])
        with open(data / "postgresql.conf", "a", encoding="utf-8") as config:
            config.write(_CONFIG.format(certificate=self._key.certificate, key=self._key.key))

    def work(self):
        """Logins, each a backend of its own; then the administrator sets a password once more."""
        query = self.directory / "query.sql"
        query.write_text("SELECT current_user;\n", encoding="ascii")
        report = harness.run_checked([f"{_BIN}/pgbench", "-n", "-C", "-t", _LOGINS, "-f", query,
                                      self._connection("alice")], env=self._environment())
        if f"transactions actually processed: {_LOGINS}/{_LOGINS}" not in report:
            raise harness.HarnessError(f"pgbench : {report}")
        self._execute(f"ALTER ROLE alice PASSWORD '{self.password}'")

    def reload(self):
        """HUP: the postmaster reads the key again once it has noted this."""
        reloads = self._reloads()
        os.kill(self.process.pid, signal.SIGHUP)
        harness.wait_until(lambda: self._reloads() > reloads, "postgres reloads")

    def _reloads(self):
        return self.output(_POSTGRES).count("received SIGHUP")

    def _connection(self, user):
        return f"host=127.0.0.1 port={self.port} user={user} dbname=postgres sslmode=require"

    def _environment(self):
        return {**os.environ, "PGPASSWORD": self.password}

    def _create_role(self):
        """By an administrator who stays logged in: what the backend has read stays there."""
        self._administrator = self.enter(subprocess.Popen(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self._connection("postgres")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii",
            env=self._environment()))
        self._execute(f"CREATE ROLE alice LOGIN PASSWORD '{self.password}'")

    def _execute(self, statement):
        psql = self._administrator
        psql.stdin.write(f"{statement};\n\\echo done\n")
        psql.stdin.flush()
        if psql.stdout.readline() != "done\n":
            raise harness.HarnessError("postgres : the administrator's session failed")

    def _is_ready(self):
        done = subprocess.run([f"{_BIN}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                              check=False)
        return done.returncode == 0
