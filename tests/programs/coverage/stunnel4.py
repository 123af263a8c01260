# SPDX-License-Identifier: Apache-2.0
"""stunnel4: an RSA and an EC service before an HTTP server, reload by HUP."""

import signal

import ab
import harness
from credentials import make_keys

from .program import Program, listens
from .web_server import PlainServer

_CONFIG = """\
foreground = yes
debug = notice
syslog = no
pid =
"""
_SERVICE = """\
[{kind}]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{backend}
cert = {certificate}
key = {key}
"""


class Stunnel4(Program):
    name = "stunnel4"
    needs = ("/usr/bin/stunnel4", ab.AB)

    def make_secrets(self):
        self._keys = make_keys(self.directory)
        return [key.secret for key in self._keys]

    def start(self):
        backend = self.enter(PlainServer())
        self._ports = {key.kind: harness.free_port() for key in self._keys}
        services = [_SERVICE.format(kind=key.kind, port=self._ports[key.kind],
                                    backend=backend.port, certificate=key.certificate,
                                    key=key.key) for key in self._keys]
        config = self.directory / "stunnel.conf"
        config.write_text("".join([_CONFIG, *services]), encoding="ascii")
        self.daemon(["/usr/bin/stunnel4", config], self._listens)

    def _listens(self):
        return all(listens(port) for port in self._ports.values())

    def _times_configured(self):
        return self.output("stunnel4").count("Configuration successful")

    def work(self):
        for kind, port in self._ports.items():
            ab.load_one(f"https://127.0.0.1:{port}/", 50, kind)

    def reload(self):
        before = self._times_configured()
        self.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: self._times_configured() > before and self._listens(),
                           "stunnel4 has read its configuration")
