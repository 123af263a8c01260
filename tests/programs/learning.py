# SPDX-License-Identifier: Apache-2.0
"""Runs `pagewarden learn`, and programs under what it has learned."""

import json
import os
import pathlib
import re
import subprocess

import harness

PAGEWARDEN = harness.BUILD / "agent" / "pagewarden"
SECONDS = 120
HEAP = ("Arena", "Heap", "FreedChunk")


def run(*arguments, **options):
    return subprocess.run([str(PAGEWARDEN), *map(str, arguments)], capture_output=True, text=True,
                          timeout=SECONDS, check=False, **options)


class Learned:
    """What a run of learn said."""

    def __init__(self, done):
        self.returncode = done.returncode
        self.stderr = done.stderr
        self.heap_fenced, self.heap = self._numbers(r"of the heap's, (\d+) of (\d+)")
        self.moved_percent = self._moved("since the start")
        self.workload_moved_percent = self._moved("in the workload")

    def _numbers(self, pattern):
        found = re.search(pattern, self.stderr)
        return tuple(map(int, found.groups())) if found else (0, 0)

    def _moved(self, when):
        found = re.search(rf"{when} \d+ of \d+ allocations moved \(([\d.]+) %\)", self.stderr)
        return float(found.group(1)) if found else 100.0


def learn(arguments, **options):
    return Learned(run("learn", *arguments, **options))


class Found:
    """The copies of one search."""

    def __init__(self, report):
        self.copies = report["copies"]
        heap = [copy for copy in self.copies if copy["kind"] in HEAP]
        self.heap = len(heap)
        self.heap_fenced = sum(copy["fenced"] for copy in heap)
        # Of other allocators than the C library's, and of pools.
        self.anonymous = sum(copy["kind"] == "Anonymous" for copy in self.copies)
        self.fenced = sum(copy["fenced"] for copy in self.copies)


class Fenced:
    """A program under a policy, from `with` until its end."""

    def __init__(self, policy, command, directory):
        self.command = [str(word) for word in
                        (PAGEWARDEN, "run", "--policy", policy, "--", *command)]
        self.directory = directory

    def __enter__(self):
        self.process = subprocess.Popen(self.command, cwd=self.directory,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        try:
            self.process.wait(harness.DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def verify(self, secret, option="--secret-text-file"):
        done = run("verify", option, secret, "--pid", self.process.pid, "--children", "--json")
        if done.returncode not in (0, 1, 5):
            raise harness.HarnessError(f"verify : exit {done.returncode}: {done.stderr.strip()}")
        return Found(json.loads(done.stdout))


def recordings():
    """Files that a learn that was cut short would leave."""
    directory = pathlib.Path("/run/pagewarden/recordings" if os.geteuid() == 0
                             else f"/tmp/pagewarden-{os.geteuid()}/recordings")
    return set(directory.iterdir()) if directory.is_dir() else set()
