# SPDX-License-Identifier: Apache-2.0
"""postgres: a fresh cluster as user postgres, pgbench, and the sums that TPC-B keeps equal."""

import shutil
import signal

import harness

from .workload import Workload

_BIN = "/usr/lib/postgresql/15/bin"
_CLIENTS = 4
_SUMS = """\
SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)
   AND (SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT sum(delta) FROM pgbench_history)
   AND (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(delta) FROM pgbench_history),
  (SELECT count(*) FROM pgbench_history), (SELECT count(*) FROM pgbench_accounts)
"""


class Postgres(Workload):
    name = "postgres"
    programs = (f"{_BIN}/postgres", f"{_BIN}/initdb", f"{_BIN}/pgbench", f"{_BIN}/psql",
                "/usr/bin/setpriv")
    fast = False

    def __init__(self, *, scale, transactions):
        self.work = (f"initdb, pgbench scale {scale}, {_CLIENTS} clients × "
                     f"{transactions // _CLIENTS:,} transactions")
        self._scale = scale
        self._transactions = transactions

    def run(self, session, inputs):
        data = session.directory / "data"
        data.mkdir(mode=0o700)
        shutil.chown(data, "postgres", "postgres")
        port = harness.free_port()

        def command(name, *words):
            return ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
                    f"{_BIN}/{name}", *words]

        def client(name, *words):
            return session.run(command(name, "-h", "127.0.0.1", "-p", port, *words, "postgres"))

        session.run(command("initdb", "-D", data, "--auth=trust", "--no-sync", "--locale=C"))
        server = command("postgres", "-D", data, "-h", "127.0.0.1", "-p", port, "-k", "")
        with session.daemon(server, lambda: _is_ready(port), stop_signal=signal.SIGINT):
            client("pgbench", "-i", "-q", "-s", self._scale)
            client("pgbench", "-c", _CLIENTS, "-t", self._transactions // _CLIENTS)
            sums = client("psql", "-At", "-c", _SUMS).strip()
        expected = f"t|{self._transactions}|{100000 * self._scale}"
        if sums != expected:
            raise harness.HarnessError(f"postgres : sums {sums}, expected {expected}")
        return sums


def _is_ready(port):
    try:
        harness.run_checked([f"{_BIN}/pg_isready", "-q", "-h", "127.0.0.1", "-p", port])
    except harness.HarnessError:
        return False
    return True
