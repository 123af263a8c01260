# SPDX-License-Identifier: Apache-2.0
"""What a running agent costs beside 10,000 processes, at its default interval."""

import contextlib
import operator
import pathlib
import subprocess
import sys
import tempfile
import time

import programs
import report

sys.path.insert(0, str(programs.ROOT / "tests" / "programs"))
import agents  # pylint: disable=wrong-import-position
import exposition  # pylint: disable=wrong-import-position

PROCESSES = 10000
SETTLE_AUDITS = 3  # the first ones look at every process
SHARE = report.Budget("agent beside 10,000 processes, of a core", operator.le, 0.5, "%", broken=5)
# Half of what deploy/systemd lets it have.
RESIDENT = report.Budget("the same, resident", operator.le, 64, "MiB")


@contextlib.contextmanager
def sleepers(count):
    """So many processes that do nothing, a tenth of them with locked memory."""
    with subprocess.Popen([programs.program("sleepers"), str(count)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        started = int(process.stdout.readline())
        assert started == count, f"{started} of {count} processes could be started"
        yield
        process.stdin.close()


def cpu_ns(pid):
    """Of all threads that live."""
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0])
               for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) / 1024


def audits(agent):
    """How many were made so far."""
    text = agent.get("/metrics")[1]
    return int(exposition.values(text, "pagewarden_scan_duration_seconds_count")[0])


def wait_for_audits(agent, count):
    deadline = time.monotonic() + 60
    while audits(agent) < count:
        assert time.monotonic() < deadline, f"no {count} audits in a minute"
        time.sleep(0.2)


def cost(seconds):
    """Rows and verdicts: the whole agent, with nothing to do but its audits."""
    with sleepers(PROCESSES), tempfile.TemporaryDirectory(prefix="pagewarden-") as directory, \
            agents.Agent(directory) as agent:
        pid = agent.process.pid
        wait_for_audits(agent, SETTLE_AUDITS)
        before, made, began = cpu_ns(pid), audits(agent), time.monotonic()
        time.sleep(seconds)
        spent, made = cpu_ns(pid) - before, audits(agent) - made
        share = spent / 1e7 / (time.monotonic() - began)
        resident = resident_mib(pid)
    row = [f"agent beside {PROCESSES:,} processes", f"{made} audits in {seconds} s",
           f"{spent / 1e6 / max(made, 1):.1f} ms an audit",
           f"{share:.2f} % of a core, {resident:.1f} MiB"]
    return [row], [SHARE.judge(share), RESIDENT.judge(resident)]
