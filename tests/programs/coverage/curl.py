# SPDX-License-Identifier: Apache-2.0
"""curl -u with a client key, RSA and EC: a hundred requests, each with its own handshake."""

from credentials import make_key, make_keys, new_password

from .program import Program
from .web_server import PacedServer

_USER = "alice"


class Curl(Program):
    name = "curl"
    needs = ("/usr/bin/curl",)

    def make_secrets(self):
        self._keys = make_keys(self.directory)
        self._password = new_password()
        return [*(key.secret for key in self._keys),
                self.text_secret("password", self._password)]

    def start(self):
        server_directory = self.directory / "server"
        server_directory.mkdir()
        server_key = make_key(server_directory, "EC")
        self._server = self.enter(PacedServer(server_key, self._keys))
        for key in self._keys:
            self.daemon(["/usr/bin/curl", "--silent", "--show-error", "--fail",
                         "--cacert", server_key.certificate, "--cert", key.certificate,
                         "--key", key.key, "--user", f"{_USER}:{self._password}",
                         "--output", "/dev/null",
                         f"https://127.0.0.1:{self._server.port}/[1-100000]"], lambda: True)
        self._server.answer(0, clients=len(self._keys))

    def work(self):
        self._server.answer(100, clients=len(self._keys))
