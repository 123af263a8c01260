# SPDX-License-Identifier: Apache-2.0
"""node as an HTTPS server, RSA and EC; reads its keys again on HUP."""

import pathlib
import re
import signal

import ab
import harness
from credentials import make_keys

from .program import Program, listens

_SERVER = pathlib.Path(__file__).with_name("https_server.js")


def _is_known():
    """With OpenSSL inside the executable, the policy is for the one with its build id."""
    if "libcrypto.so.3" in harness.run_checked(["ldd", "/usr/bin/node"]):
        return True
    notes = harness.run_checked(["readelf", "-n", "/usr/bin/node"])
    return re.search(r"Build ID: (\w+)", notes).group(1) in Node.policy().read_text("utf-8")


class Node(Program):
    name = "node"
    needs = ("/usr/bin/node", ab.AB)
    # Seen once in some twenty runs, on a busy machine.
    explained = {"RSA key": {"FreedChunk": "now and then, in a block that node has freed and not "
                                           "used again; whose it was is not known"}}

    @classmethod
    def missing(cls):
        return super().missing() or ([] if _is_known() else ["a node that the policy knows"])

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
