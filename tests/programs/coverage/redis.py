# SPDX-License-Identifier: Apache-2.0
"""redis: TLS with an RSA key and a password that every client sends."""

import os

import harness
from credentials import make_key, new_password

from .program import Program

_CLIENTS = 100
_CONFIG = """\
bind 127.0.0.1
port 0
tls-port {port}
tls-cert-file {certificate}
tls-key-file {key}
tls-auth-clients no
requirepass {password}
dir {directory}
save ""
appendonly no
"""


class Redis(Program):
    name = "redis"
    pinned = True
    needs = ("/usr/bin/redis-server", "/usr/bin/redis-cli", "/usr/bin/redis-benchmark")

    def make_secrets(self):
        self._key = make_key(self.directory, "RSA")
        self._password = new_password()
        return [self._key.secret, self.text_secret("password", self._password)]

    def start(self):
        self._port = harness.free_port()
        config = self.directory / "redis.conf"
        config.write_text(_CONFIG.format(port=self._port, certificate=self._key.certificate,
                                         key=self._key.key, password=self._password,
                                         directory=self.directory), encoding="utf-8")
        self.daemon(["/usr/bin/redis-server", config], self._answers)

    def work(self):
        """Clients that authenticate, then a snapshot by a forked child."""
        harness.run_checked(["redis-benchmark", "-q", *self._server(), "-a", self._password,
                             "-c", 4, "-k", 0, "-n", _CLIENTS, "SET", "key", "value"])
        if self._cli("GET", "key") != "value":
            raise harness.HarnessError("redis : the value is missing")
        self._cli("BGSAVE")
        harness.wait_until(lambda: "rdb_bgsave_in_progress:0" in self._cli("INFO", "persistence"),
                           "the snapshot is done")

    def _server(self):
        return ["--tls", "--insecure", "-h", "127.0.0.1", "-p", self._port]

    def _cli(self, *words):
        return harness.run_checked(["redis-cli", *self._server(), *words],
                                   env={**os.environ, "REDISCLI_AUTH": self._password}).strip()

    def _answers(self):
        try:
            return self._cli("PING") == "PONG"
        except harness.HarnessError:
            return False
