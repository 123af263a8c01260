# SPDX-License-Identifier: Apache-2.0
"""Does a secret reach swap? The experiment of the swap test and of the demo.

A swap file of our own, zeroed and used before any other: every hit in it is
from this run. A program works with fresh secrets, then its memory is pushed
out, page by page, and the file is searched. The kernel refuses to push out
what is locked (madvise(2), MADV_PAGEOUT).
"""

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import tempfile

import harness
import pagewarden
from coverage.program import running

SWAP_BYTES = 128 << 20
PRIORITY = 32000  # the kernel fills the area with the highest priority first
DIRECTORY = pathlib.Path("/var/tmp")  # on a disk (file-hierarchy(7)); tmpfs cannot swap
PREFIX = "pagewarden-swap-"


class SwapFile:
    """A zeroed swap file, on while the context lasts; one at a time on a machine."""

    def __enter__(self):
        self._cleanup = contextlib.ExitStack()
        with self._cleanup:
            self._wait_for_turn()
            self._remove_abandoned()
            self._refuse_rivals()
            self._create()
            harness.run_checked(["mkswap", self.path])
            self._drop_cache()
            harness.run_checked(["swapon", "-p", PRIORITY, self.path])
            self._cleanup.callback(harness.run_checked, ["swapoff", self.path])
            self._cleanup = self._cleanup.pop_all()
        return self

    def __exit__(self, *_):
        self._cleanup.close()

    def _wait_for_turn(self):
        lock = self._cleanup.enter_context(open("/run/pagewarden-swap.lock", "w", encoding="ascii"))
        fcntl.flock(lock, fcntl.LOCK_EX)

    @staticmethod
    def _remove_abandoned():
        """Files of killed runs: whoever holds the lock is the only one at work."""
        active = [name for name, _ in _swap_areas()]
        for file in DIRECTORY.glob(f"{PREFIX}*"):
            if str(file) in active:
                harness.run_checked(["swapoff", file])
            file.unlink()

    @staticmethod
    def _refuse_rivals():
        for name, priority in _swap_areas():
            if priority >= PRIORITY:
                raise harness.HarnessError(
                    f"{name} has swap priority {priority} and would take the pages : swapoff it")

    def _create(self):
        descriptor, name = tempfile.mkstemp(prefix=PREFIX, dir=DIRECTORY)
        self.path = pathlib.Path(name)
        self._cleanup.callback(self.path.unlink)
        with os.fdopen(descriptor, "wb") as file:
            for _ in range(SWAP_BYTES >> 20):
                file.write(bytes(1 << 20))
            file.flush()
            os.fsync(file.fileno())

    def _drop_cache(self):
        # Swapping writes to the disk beside the page cache of the file.
        with open(self.path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def count(self, secret):
        """How many copies of `secret` the file holds now."""
        os.sync()
        self._drop_cache()
        command = [pagewarden.TOOLS / "pw-count", self.path, *secret.arguments()]
        return int(harness.run_checked(command).split()[0])


def _swap_areas():
    """(name, priority) of each active one."""
    lines = pathlib.Path("/proc/swaps").read_text(encoding="utf-8").splitlines()[1:]
    return [(line.split()[0], int(line.split()[-1])) for line in lines]


def squeeze(pids):
    """Asks the kernel to push out every writable page of `pids`."""
    harness.run_checked([pagewarden.TOOLS / "pw-squeeze", *pids])


def swapped_bytes(pid):
    """VmSwap (proc(5))."""
    return int(harness.read_status(pid).get("VmSwap", "0 kB").split()[0]) * 1024


@dataclasses.dataclass(frozen=True)
class Outcome:
    in_memory: dict  # kind of secret: copies found in the processes before the squeeze
    in_swap_before: dict
    in_swap: dict
    swapped_bytes: dict  # pid: bytes of it that were pushed out
    answers: bool


def experiment(program, fenced):
    """A round of work, a squeeze, another round; for all secrets that the policy fences in full."""
    with SwapFile() as swap_file, running(program, program.policy() if fenced else None) as run:
        run.work()
        secrets = [secret for secret in run.secrets if secret.kind not in program.explained]
        in_memory = {secret.kind: copies_in_memory(run.cgroup, secret) for secret in secrets}
        in_swap_before = {secret.kind: swap_file.count(secret) for secret in secrets}
        pids = run.pids()
        squeeze(pids)
        swapped = {pid: swapped_bytes(pid) for pid in pids}
        in_swap = {secret.kind: swap_file.count(secret) for secret in secrets}
        return Outcome(in_memory, in_swap_before, in_swap, swapped, _answers(run))


def copies_in_memory(cgroup, secret):
    _, report = pagewarden.verify(cgroup, [secret])
    return report["summary"]["copies"]


def _answers(run):
    try:
        run.work()
    except (OSError, harness.HarnessError):
        return False
    return True
