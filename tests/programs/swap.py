# SPDX-License-Identifier: Apache-2.0
"""Does a key reach swap? The experiment of the swap test and of the demo.

A swap file of our own, zeroed and used before any other: every hit in it is
from this run. nginx works with fresh keys, then its memory is pushed out, page
by page, and the file is searched. The kernel refuses to push out what is
locked (madvise(2), MADV_PAGEOUT).
"""

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import tempfile

import harness
import pagewarden
from credentials import make_keys
from nginx import Nginx

SWAP_BYTES = 128 << 20
PRIORITY = 32000  # the kernel fills the area with the highest priority first
DIRECTORY = pathlib.Path("/var/tmp")  # on a disk (file-hierarchy(7)); tmpfs cannot swap
PREFIX = "pagewarden-swap-"
REQUESTS = 10


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

    def count_command(self, key):
        return [str(pagewarden.TOOLS / "pw-count"), str(self.path), *key.arguments()]

    def count(self, key):
        """How many copies of `key` the file holds now."""
        os.sync()
        self._drop_cache()
        return int(harness.run_checked(self.count_command(key)).split()[0])


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
    in_memory: dict  # kind of key: copies found in the processes before the squeeze
    in_swap_before: dict
    in_swap: dict
    swapped_bytes: dict  # pid: bytes of it that were pushed out
    answers: bool


def experiment(fenced):
    """One nginx, ten TLS requests, one squeeze."""
    with harness.SetUp("swap") as setup, SwapFile() as swap_file:
        keys = make_keys(setup.directory)
        with Nginx(setup, keys, workers=1, fenced=fenced) as nginx:
            nginx.load(REQUESTS)
            in_memory = {key.kind: copies_in_memory(setup.cgroup, key) for key in keys}
            in_swap_before = {key.kind: swap_file.count(key) for key in keys}
            pids = nginx.pids()
            squeeze(pids)
            swapped = {pid: swapped_bytes(pid) for pid in pids}
            in_swap = {key.kind: swap_file.count(key) for key in keys}
            return Outcome(in_memory, in_swap_before, in_swap, swapped, _answers(nginx))


def copies_in_memory(cgroup, key):
    _, report = pagewarden.verify(cgroup, [key])
    return report["summary"]["copies"]


def _answers(nginx):
    try:
        nginx.load(REQUESTS)
    except (OSError, harness.HarnessError):
        return False
    return True
