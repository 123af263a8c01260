# SPDX-License-Identifier: Apache-2.0
"""What a workload is, and the surroundings it runs in.

A workload is real work by real programs. It runs twice and more, plain and
fenced, and the difference is in its session alone:

    class Sort(Workload):
        name = "sort"
        work = "100,000 lines"
        programs = ("/usr/bin/sort",)

        def prepare(self, inputs):
            (inputs / "lines").write_text(...)

        def run(self, session, inputs):
            return session.run(["sort", inputs / "lines"])
"""

import contextlib
import pathlib
import subprocess
import time

import harness
import pagewarden

HERE = pathlib.Path(__file__).resolve().parent


class Workload:
    """One row of the table."""

    name = ""
    work = ""  # what is done, for the table
    programs = ()  # absolute paths; the first is the one that the census must find fenced
    fast = False  # part of the normal test suite
    runs = 3  # of each kind, for the table's medians
    timeout = 300  # seconds for each of its commands

    def prepare(self, inputs):
        """Makes, once and untimed, what every run reads, in the directory `inputs`."""

    def run(self, session, inputs):
        """Works, checks itself, and returns what must not depend on the fence."""
        raise NotImplementedError

    def missing(self):
        """The programs that this machine does not have."""
        return [program for program in self.programs if not pathlib.Path(program).exists()]


class Session:
    """Starts a run's commands in a cgroup and a directory of their own.

    With a policy every command is fenced; with a census the processes are
    looked at while they work, which costs time.
    """

    def __init__(self, setup, policy, census, timeout):
        self.setup = setup
        self.directory = setup.directory
        self._policy = policy
        self._census = census
        self._timeout = timeout

    @property
    def policy(self):
        """The policy file; None is plain."""
        return self._policy

    def command(self, words):
        words = [str(word) for word in words]
        return pagewarden.run_command(self._policy, words) if self._policy else words

    def run(self, words, *, stdin="", env=None):
        """The standard output of a command that must succeed."""
        with self._popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, env=env, encoding="utf-8",
                         errors="replace") as process:
            try:
                output, errors = self._communicate(process, stdin)
            finally:
                process.kill()  # it has ended, or ran out of time
        if process.returncode != 0:
            raise harness.HarnessError(f"{words[0]} : exit {process.returncode}: "
                                       f"{output[-2000:]}{errors[-2000:]}")
        return output

    def _communicate(self, process, stdin):
        deadline = time.monotonic() + self._timeout
        while True:
            left = deadline - time.monotonic()
            step = min(left, self._census.interval) if self._census else left
            try:
                return process.communicate(stdin, timeout=max(step, 0))
            except subprocess.TimeoutExpired:
                stdin = None  # Popen remembers what it still has to send
                if time.monotonic() >= deadline:
                    raise harness.HarnessError(
                        f"{process.args[0]} : still running after {self._timeout} s") from None
                self.look()

    @contextlib.contextmanager
    def daemon(self, words, is_up, *, stop_signal):
        """Runs a server from when `is_up()` is true until the block ends."""
        log = self.directory / f"{pathlib.Path(words[0]).name}.output"
        with open(log, "wb") as output:
            process = self._popen(words, stdin=subprocess.DEVNULL, stdout=output,
                                  stderr=subprocess.STDOUT)
        try:
            harness.wait_until(lambda: self._is_up(process, is_up, log), f"{words[0]} is up")
            yield process
            self.look()
            process.send_signal(stop_signal)
            harness.wait_until(lambda: process.poll() is not None, f"{words[0]} has ended")
        finally:
            process.kill()
            process.wait()

    @staticmethod
    def _is_up(process, is_up, log):
        if process.poll() is not None:
            text = log.read_text(encoding="utf-8", errors="replace")
            raise harness.HarnessError(f"server ended with {process.returncode}: {text[-2000:]}")
        return is_up()

    def look(self):
        """Lets the census, if there is one, look at all processes of the run."""
        if self._census:
            self._census.look(self.setup.cgroup)

    def _popen(self, words, **options):
        return subprocess.Popen(self.command(words), cwd=self.directory,
                                preexec_fn=self.setup.cgroup.enter, **options)
