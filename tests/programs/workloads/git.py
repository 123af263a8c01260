# SPDX-License-Identifier: Apache-2.0
"""git: clone over the pack protocol, check, read all history, repack."""

import hashlib
import os
import random

import harness

from .workload import Workload

_COMMITS = 600
_FILES = 60
_AUTHOR = "Test <test@example.invalid>"


def _history():
    """A stream for git fast-import: each commit rewrites one of many files."""
    random_numbers = random.Random(3)
    lines = {name: [f"line {number} of {name}" for number in range(300)]
             for name in range(_FILES)}
    for commit in range(_COMMITS):
        name = random_numbers.randrange(_FILES)
        lines[name][random_numbers.randrange(300)] = f"changed {random_numbers.random()}"
        text = "\n".join(lines[name]) + "\n"
        message = f"Commit {commit}"
        yield (f"commit refs/heads/main\n"
               f"committer {_AUTHOR} {1700000000 + 60 * commit} +0000\n"
               f"data {len(message)}\n{message}\n"
               f"M 100644 inline directory{name % 7}/file{name}\ndata {len(text)}\n{text}\n")


class Git(Workload):
    name = "git"
    work = f"clone of {_COMMITS} commits, fsck --full, log -p, gc --aggressive"
    programs = ("/usr/bin/git",)
    fast = True

    def __init__(self):
        # No file of the user or the machine has a say.
        self._environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null",
                             "GIT_CONFIG_SYSTEM": "/dev/null"}

    def prepare(self, inputs):
        origin = inputs / "origin"
        harness.run_checked(["git", "init", "--quiet", "--bare", "--initial-branch=main", origin],
                            env=self._environment)
        harness.run_checked(["git", "-C", origin, "fast-import", "--quiet"],
                            input="".join(_history()), env=self._environment)

    def run(self, session, inputs):
        def git(*words):
            return session.run(["/usr/bin/git", *words], env=self._environment)

        git("clone", "--quiet", f"file://{inputs}/origin", "clone")
        log = git("-C", "clone", "log", "-p", "--stat")
        git("-C", "clone", "gc", "--quiet", "--aggressive")
        problems = git("-C", "clone", "fsck", "--full", "--strict", "--no-progress")
        if problems or git("-C", "clone", "status", "--porcelain"):
            raise harness.HarnessError(f"git : the clone is damaged: {problems}")
        return hashlib.sha256(log.encode()).hexdigest() + git("-C", "clone", "rev-parse", "HEAD")
