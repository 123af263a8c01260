# SPDX-License-Identifier: Apache-2.0
"""python3 as an HTTPS client with a key and a password, RSA and EC."""

import pathlib

from credentials import make_key, make_keys, new_password

from .program import Program
from .web_server import PacedServer

_CLIENT = pathlib.Path(__file__).with_name("https_client.py")
_USER = "alice"


class Python3(Program):
    name = "python3"
    needs = ("/usr/bin/python3",)

    def make_secrets(self):
        self._keys = make_keys(self.directory)
        self._password = self.text_secret("password", new_password())
        return [*(key.secret for key in self._keys), self._password]

    def start(self):
        server_directory = self.directory / "server"
        server_directory.mkdir()
        server_key = make_key(server_directory, "EC")
        self._server = self.enter(PacedServer(server_key, self._keys))
        for key in self._keys:
            self.daemon(["/usr/bin/python3", _CLIENT, self._server.port, server_key.certificate,
                         key.certificate, key.key, _USER, self._password.texts[0]], lambda: True)
        self._server.answer(0, clients=len(self._keys))

    def work(self):
        self._server.answer(100, clients=len(self._keys))
