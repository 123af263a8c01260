# SPDX-License-Identifier: Apache-2.0
"""redis: its own benchmark, a snapshot by a forked child meanwhile, a check of the file."""

import re
import signal

import harness

from .workload import Workload

_KNOWN = [(f"known:{i}", "value" * (i % 50) + str(i)) for i in range(10_000)]
_TESTS = "set,get,incr,lpush,rpop,sadd,hset,zadd,mset"


class Redis(Workload):
    programs = ("/usr/bin/redis-server", "/usr/bin/redis-benchmark", "/usr/bin/redis-cli",
                "/usr/bin/redis-check-rdb")

    def __init__(self, *, requests, snapshots, fast):
        self.name = "redis"
        self.fast = fast
        self.work = f"redis-benchmark, 9 tests × {requests:,}" + (", bgsave" if snapshots else "")
        self._requests = requests
        self._snapshots = snapshots

    def run(self, session, inputs):
        port = harness.free_port()

        def cli(*words, stdin=""):
            return session.run(["/usr/bin/redis-cli", "-p", port, *words], stdin=stdin).strip()

        server = ["/usr/bin/redis-server", "--bind", "127.0.0.1", "--port", port, "--dir",
                  session.directory, "--save", "", "--appendonly", "no"]
        with session.daemon(server, lambda: _answers(port), stop_signal=signal.SIGTERM):
            cli("--pipe", stdin="".join(f"SET {key} {value}\r\n" for key, value in _KNOWN))
            if self._snapshots:
                cli("bgsave")  # its child shares every page with a server that now writes
            self._benchmark(session, port)
            _check_values(cli)
            return _snapshot(session, cli) if self._snapshots else "values kept"

    def _benchmark(self, session, port):
        report = session.run(["/usr/bin/redis-benchmark", "-p", port, "-n", self._requests, "-c",
                              "20", "-P", "4", "-d", "200", "-t", _TESTS, "--csv"])
        finished = re.findall(r'^"[A-Z]+[^"]*","\d', report, re.M)
        if len(finished) != len(_TESTS.split(",")):
            raise harness.HarnessError(f"redis-benchmark : {report}")


def _answers(port):
    try:
        return harness.run_checked(["redis-cli", "-p", port, "ping"]).strip() == "PONG"
    except harness.HarnessError:
        return False


def _check_values(cli):
    values = cli("mget", *(key for key, _ in _KNOWN)).splitlines()
    if values != [value for _, value in _KNOWN]:
        raise harness.HarnessError("redis : values changed")


def _snapshot(session, cli):
    """Saves once more, and has redis itself check the file."""

    def saved(times):
        report = cli("info", "persistence")
        if "rdb_last_bgsave_status:ok" not in report:
            raise harness.HarnessError(f"redis : bgsave failed: {report}")
        begun = f"rdb_saves:{times}\n" in report  # counted at the start
        return begun and "rdb_bgsave_in_progress:0\n" in report

    harness.wait_until(lambda: saved(1), "the first bgsave is done")
    cli("bgsave")
    harness.wait_until(lambda: saved(2), "the second bgsave is done")
    report = session.run(["/usr/bin/redis-check-rdb", session.directory / "dump.rdb"])
    return re.search(r"\d+ keys read", report).group(0)
