# SPDX-License-Identifier: Apache-2.0
"""nginx: RSA and EC key, master and two workers, ab over TLS, reload by HUP."""

import nginx
from credentials import make_keys

from .program import Program


class Nginx(Program):
    name = "nginx"
    needs = (nginx.NGINX, "/usr/bin/ab")
    workers = 2

    def make_secrets(self):
        self._keys = make_keys(self.directory)
        return [key.secret for key in self._keys]

    def start(self):
        self._server = self.enter(nginx.Nginx(self.setup, self._keys, self.workers, self.fenced,
                                              self.policy_file))

    def work(self):
        self._server.load(100)

    def reload(self):
        self._server.reload()
