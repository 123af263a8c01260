#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What looks for secrets never has a piece of one in memory that could be swapped or dumped: the
processes of the agent's checks, and `verify`, are stopped over and over in the middle of their
work, and all of their memory is read. The agent itself never has one at all."""

import base64
import collections
import os
import pathlib
import random
import re
import signal
import subprocess
import time
import unittest

import harness
import pagewarden
from agents import Agent
from credentials import make_key
from nginx import POLICY

KEYS = 12
PIECE = 16
STOPS_WITH_SECRETS = 60
SECONDS = 170
LONGEST_RUN = 0.003  # between two stops
SLEEP = pathlib.Path("/usr/bin/sleep")


def numbers(key):
    """The private part of the key's DER."""
    lines = key.read_text(encoding="ascii").splitlines()[1:-1]
    der = base64.b64decode("".join(lines))
    # RSA: the numbers behind the modulus, which is no secret. P-256: PKCS #8 has the scalar at 36.
    return der[len(der) // 2:] if len(der) > 500 else der[36:68]


def pieces(key):
    """16 bytes here and there, as the file has them, as machine words and as base64."""
    secret = numbers(key)
    text = "".join(key.read_text(encoding="ascii").splitlines()[1:-1]).encode()
    text = text[len(text) // 2:] if len(text) > 500 else text[48:80]
    found = []
    for source in (secret, secret[::-1], text):
        starts = range(0, len(source) - PIECE + 1, max(PIECE, len(source) // 5))
        found += [source[at:at + PIECE] for at in starts]
    return found


Mapping = collections.namedtuple("Mapping", "start end name flags")


def writable_mappings(pid):
    """Those of private memory, with the flags that the kernel keeps (proc(5), VmFlags)."""
    text = pathlib.Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace")
    head = None
    for line in text.splitlines():
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line)
        if match:
            head = match
        elif line.startswith("VmFlags:") and head and "w" in head[3]:
            yield Mapping(int(head[1], 16), int(head[2], 16), head[4], line.split()[1:])


class Stopped:
    """The process does not run."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        deadline = time.monotonic() + harness.DEADLINE_SECONDS
        while time.monotonic() < deadline and harness.is_alive(self.pid):
            states = {(task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
                      for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir()}
            if states == {"T"}:
                break
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)

    def find(self, wanted):
        """(those in memory that is locked and not dumped, mappings with others)."""
        guarded, bare = set(), {}
        with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
            for mapping in writable_mappings(self.pid):
                data = self.read(memory, mapping)
                found = {piece for piece in wanted if piece in data}
                if {"lo", "dd"} <= set(mapping.flags):
                    guarded |= found
                elif found:
                    bare[mapping.name or f"{mapping.start:x}"] = len(found)
        return guarded, bare

    @staticmethod
    def read(memory, mapping):
        try:
            memory.seek(mapping.start)
            return memory.read(mapping.end - mapping.start)
        except OSError:
            return b""


@harness.needs_root
class SecretMemoryTest(unittest.TestCase):
    def setUp(self):
        self.setup_ = self.enterContext(harness.SetUp("secret-memory"))
        self.files = []
        for i in range(KEYS):
            directory = self.setup_.directory / str(i)
            directory.mkdir()
            self.files.append(make_key(directory, "EC" if i % 4 == 3 else "RSA").key)
        self.pieces = [piece for file in self.files for piece in pieces(file)]
        self.assertGreater(len(self.pieces), 10 * KEYS)
        self.sleeper = self.start([str(SLEEP), "600"], preexec_fn=self.setup_.cgroup.enter)

    def start(self, command, **options):
        process = subprocess.Popen(command, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def stop_and_read(self, processes):
        """Reads what `processes` yields, stopped at random moments, until enough have secrets."""
        stops = with_secrets = 0
        bare = collections.Counter()
        end = time.monotonic() + SECONDS
        for pid in processes:
            self.assertLess(time.monotonic(), end, f"{with_secrets} of {stops} stops with secrets")
            time.sleep(random.random() * LONGEST_RUN)
            try:
                with Stopped(pid) as stopped:
                    guarded, found = stopped.find(self.pieces)
            except (ProcessLookupError, FileNotFoundError):
                continue  # it has just ended
            stops += 1
            with_secrets += bool(guarded or found)
            bare.update(found)
            if with_secrets >= STOPS_WITH_SECRETS:
                break
        print(f"{with_secrets} of {stops} stops with secrets, in ordinary memory: {dict(bare)}",
              flush=True)
        self.assertEqual({}, dict(bare))

    def test_no_moment_of_an_agents_check_has_them_in_ordinary_memory(self):
        folder = self.setup_.directory / "agent"
        folder.mkdir()
        with Agent(folder, "--cgroup", self.setup_.cgroup.path, "--verify-every", "1s") as agent:
            text = POLICY.read_text(encoding="utf-8").replace("/usr/sbin/nginx", str(SLEEP))
            agent.rename("a.yaml", text.rstrip() + "\n  secrets:\n" + "".join(
                f"    - {file}\n" for file in self.files))
            self.stop_and_read(self.checks_of(agent.process.pid))
            with Stopped(agent.process.pid) as stopped:
                self.assertEqual((set(), {}), stopped.find(self.pieces))
            self.assertFalse([e for e in agent.status()["secrets"]["errors"]
                              if e["reason"] != "not_found"])

    @staticmethod
    def checks_of(pid):
        """The agent's child, again and again."""
        while True:
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                yield from (int(word) for word in task.read_text(encoding="ascii").split())

    def test_no_moment_of_verify_has_them_in_ordinary_memory(self):
        self.stop_and_read(self.verifications())

    def verifications(self):
        secrets = [word for file in self.files for word in ("--secret", str(file))]
        while True:
            process = self.start([str(pagewarden.PAGEWARDEN), "verify", *secrets, "--pid",
                                  str(self.sleeper.pid)], stdout=subprocess.DEVNULL)
            while process.poll() is None:
                yield process.pid


if __name__ == "__main__":
    harness.main()
