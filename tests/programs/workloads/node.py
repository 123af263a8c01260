# SPDX-License-Identifier: Apache-2.0
"""node: hashes and keys, JSON, four worker threads, an HTTP server and its client."""

from .workload import HERE, Workload


class Node(Workload):
    name = "node"
    work = "crypto, JSON, 4 worker_threads, 500 HTTP requests"
    programs = ("/usr/bin/node",)
    fast = True

    def run(self, session, inputs):
        return session.run(["/usr/bin/node", HERE / "work.js"])
