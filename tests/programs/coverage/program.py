# SPDX-License-Identifier: Apache-2.0
"""What a covered program is, and how it is started plain or under its shipped policy:

    class Httpd(Program):
        name = "httpd"                              # the policy is policies/httpd.yaml
        needs = ("/usr/sbin/httpd", "/usr/bin/ab")
        explained = {"password": {"Stack": "the request line of dead worker threads"}}

        def make_secrets(self):
            self.key = make_key(self.directory, "RSA")
            return [self.key.secret, self.text_secret("password", new_password())]

        def start(self):
            self.port = harness.free_port()
            self.daemon(["/usr/sbin/httpd", "-p", self.port], lambda: listens(self.port))

        def work(self):
            harness.run_checked(["ab", "-n", 100, f"https://127.0.0.1:{self.port}/"])

    with running(Httpd, Httpd.policy()) as httpd:   # running(Httpd) is plain
        httpd.work()
        survey.look(httpd, "at work")

Whatever is not `daemon` runs outside of the cgroup that is searched, as clients must.
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess

import harness
import pagewarden
from credentials import Secret


def listens(port):
    """Whether somebody accepts connections on the port of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


class Program:
    """One program; an instance is one run of it, plain without a policy."""

    name = ""
    policy_name = ""  # of the file, where it is not `name`
    needs = ()  # absolute paths of all programs that it takes; the first is the one covered
    explained = {}  # {kind of secret: {place: why the policy leaves copies there}}
    fast = True  # part of the normal test suite
    pinned = False  # the policy locks whole processes: nothing of them can be pushed out

    def __init__(self, setup, policy):
        self.setup = setup
        self.directory = setup.directory
        self.cgroup = setup.cgroup
        self.policy_file = policy
        self._cleanup = contextlib.ExitStack()
        self.secrets = []
        self.process = None  # the first that `daemon` started

    # --- for each program to say ------------------------------------------

    def make_secrets(self):
        """Makes fresh ones below `directory`; returns the list of `Secret`."""
        raise NotImplementedError

    def start(self):
        """Starts the program; returns when it is ready for work."""
        raise NotImplementedError

    def work(self):
        """A round of real work, checked: 100 connections, say. Runs several times. What it
        leaves alive is searched."""
        raise NotImplementedError

    def reload(self):
        """Makes the program read its secrets again, if it can; returns when it has."""

    def can_reload(self):
        return type(self).reload is not Program.reload

    def pids(self):
        """The processes to search and, in the swap experiment, to push out."""
        return self.cgroup.pids()

    # --- for its use --------------------------------------------------------

    @classmethod
    def policy(cls):
        """The shipped policy, as the build installs it."""
        return harness.BUILD / "policies" / f"{cls.policy_name or cls.name}.yaml"

    @classmethod
    def missing(cls):
        """What of `needs` this machine lacks."""
        return [path for path in cls.needs if not pathlib.Path(path).exists()]

    @property
    def fenced(self):
        return self.policy_file is not None

    def text_secret(self, kind, text, *more):
        """A `Secret` of texts, each in a file of its own."""
        files = []
        for number, value in enumerate((text, *more)):
            file = self.directory / f"{kind.replace(' ', '-')}-{number}.secret"
            file.write_text(value, encoding="utf-8")
            file.chmod(0o600)
            files.append(file)
        return Secret(kind, texts=tuple(files))

    def daemon(self, words, is_up, *, before=(), stop_signal=signal.SIGTERM, environment=None,
               stdin=subprocess.DEVNULL):
        """Starts `words` in the cgroup, fenced if this run is, until the run ends.

        `before` are words that come before `pagewarden run`: `setpriv` and its like.
        """
        command = [str(word) for word in words]
        if self.policy_file:
            command = pagewarden.run_command(self.policy_file, command)
        command = [*map(str, before), *command]
        log = self._log(words[0])
        with open(log, "ab") as output:
            process = subprocess.Popen(command, cwd=self.directory, stdin=stdin, stdout=output,
                                       stderr=subprocess.STDOUT,
                                       env={**os.environ, **(environment or {})},
                                       preexec_fn=self.cgroup.enter)
        self._cleanup.callback(self._stop, process, stop_signal)
        self.process = self.process or process
        harness.wait_until(lambda: self._is_up(process, is_up, log), f"{words[0]} is up")
        return process

    def output(self, program):
        """What the daemons of that name have written so far."""
        return self._log(program).read_text(encoding="utf-8", errors="replace")

    def _log(self, program):
        return self.directory / f"{pathlib.Path(program).name}.output"

    def enter(self, context):
        """Enters `context` for as long as the run lasts."""
        return self._cleanup.enter_context(context)

    def __enter__(self):
        with contextlib.ExitStack() as failed:
            failed.callback(self._cleanup.close)
            self.secrets = self.make_secrets()
            self.start()
            failed.pop_all()
        return self

    def __exit__(self, *_):
        self._cleanup.close()

    @staticmethod
    def _is_up(process, is_up, log):
        if process.poll() is not None:
            raise harness.HarnessError(f"{log.name} : ended with {process.returncode}: "
                                       f"{log.read_text(errors='replace')[-2000:]}")
        return is_up()

    @staticmethod
    def _stop(process, stop_signal):
        process.send_signal(stop_signal)
        try:
            process.wait(timeout=harness.DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()


@contextlib.contextmanager
def running(program, policy=None):
    """`program`, ready for work, in a cgroup and a directory of its own."""
    with harness.SetUp(program.policy().stem) as setup, program(setup, policy) as run:
        yield run
