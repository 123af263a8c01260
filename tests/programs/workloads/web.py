# SPDX-License-Identifier: Apache-2.0
"""nginx with TLS, RSA and EC, under ab, across a reload."""

import ab
from credentials import make_keys
from nginx import NGINX, Nginx

from .workload import Workload

_REQUESTS = 600


class Web(Workload):
    name = "nginx"
    work = f"2 workers, ab: {_REQUESTS} TLS requests, reload, {_REQUESTS} more"
    programs = (NGINX, "/usr/bin/ab")
    fast = True

    def run(self, session, inputs):
        keys = make_keys(session.directory)
        with Nginx(session.setup, keys, workers=2, fenced=session.policy is not None,
                   policy=session.policy) as nginx:
            self._load(session, nginx)
            nginx.reload()
            self._load(session, nginx)
            session.look()
        return "all answered"

    @staticmethod
    def _load(session, nginx):
        for command in nginx.load_commands(_REQUESTS):
            ab.check(command, session.run(command))
