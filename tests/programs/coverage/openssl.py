# SPDX-License-Identifier: Apache-2.0
"""openssl s_server with an RSA and an EC key."""

import ab
import harness
from credentials import make_keys

from .program import Program, listens


class OpensslServer(Program):
    name = "openssl s_server"
    policy_name = "openssl"
    needs = ("/usr/bin/openssl", ab.AB)

    def make_secrets(self):
        self._rsa, self._ec = make_keys(self.directory)
        return [self._rsa.secret, self._ec.secret]

    def start(self):
        self._port = harness.free_port()
        self.daemon(["/usr/bin/openssl", "s_server", "-quiet", "-www",
                     "-accept", f"127.0.0.1:{self._port}",
                     "-cert", self._rsa.certificate, "-key", self._rsa.key,
                     "-dcert", self._ec.certificate, "-dkey", self._ec.key],
                    lambda: listens(self._port))

    def work(self):
        ab.load(f"https://127.0.0.1:{self._port}/", 100)
