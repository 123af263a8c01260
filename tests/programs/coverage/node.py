# SPDX-License-Identifier: Apache-2.0
"""node as an HTTPS server, RSA and EC; reads its keys again on HUP."""

import pathlib
import signal

import ab
import harness
from credentials import make_keys

from .program import Program, listens

_SERVER = pathlib.Path(__file__).with_name("https_server.js")


class Node(Program):
    name = "node"
    needs = ("/usr/bin/node", ab.AB)

    def make_secrets(self):
        self._keys = make_keys(self.directory)
        return [key.secret for key in self._keys]

    def start(self):
        self._port = harness.free_port()
        files = [file for key in self._keys for file in (key.certificate, key.key)]
        self.daemon(["/usr/bin/node", _SERVER, self._port, *files], lambda: listens(self._port))

    def work(self):
        ab.load(f"https://127.0.0.1:{self._port}/", 100)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: "reloaded" in self.output("node"), "node has read its keys")
