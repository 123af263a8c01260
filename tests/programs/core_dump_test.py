#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No byte of a fenced secret is in a core dump, the kernel's or gdb's. The same
program without the fence, and with `coreDump: Include`, shows that it would be."""

import contextlib
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import unittest

import harness
import pagewarden

PROGRAM = harness.BUILD / "tests" / "programs" / "core-dump"
SECRET_BYTES = 64
WORD_BYTES = 8  # a random word of this length is nowhere by chance
ALL_WORDS = SECRET_BYTES // WORD_BYTES
SECONDS = 20

POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: core-dump}}
spec:
  rules:
    - match: {{during: [tagged_malloc]}}
  arenas:
    - {{name: secrets, capacity: 64Ki, coreDump: {core_dump}}}
"""


def core_pattern():
    return pathlib.Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8").strip()


def words_in(core, secret):
    """How many words of `secret` the file holds, at any place."""
    contents = core.read_bytes()
    starts = range(0, SECRET_BYTES, WORD_BYTES)
    return sum(secret[start:start + WORD_BYTES] in contents for start in starts)


def allow_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class CoreDumpTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="pagewarden-core-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)
        self.secret = os.urandom(SECRET_BYTES)

    def fenced(self, mode, core_dump="Exclude"):
        """The command that runs the program under a policy."""
        policy = self.directory / "policy.yaml"
        policy.write_text(POLICY.format(core_dump=core_dump), encoding="ascii")
        return pagewarden.run_command(policy, self.plain(mode))

    @staticmethod
    def plain(mode):
        return [str(PROGRAM), mode]

    def core_of_abort(self, command):
        """The core that the kernel writes when the program aborts."""
        done = subprocess.run(command, cwd=self.directory, input=self.secret, timeout=SECONDS,
                              capture_output=True, preexec_fn=allow_cores, check=False)
        self.assertEqual(done.returncode, -6, done.stderr)
        (core,) = self.directory.glob("core*")
        return core

    @contextlib.contextmanager
    def waiting(self, command):
        """The pid of the program that waits with its secret."""
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            process.stdin.write(self.secret)
            process.stdin.close()
            self.assertEqual(process.stdout.readline(), b"ready\n")
            yield process.pid
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def core_by_gdb(self, command, *settings):
        """The core that gdb's gcore writes of the living program."""
        core = self.directory / "core"
        with self.waiting(command) as pid:
            words = [word for setting in settings for word in ("-ex", f"set {setting}")]
            harness.run_checked(["gdb", "--batch", "-nx", *words, "-ex", f"gcore {core}",
                                 "-p", pid], timeout=SECONDS)
        return core

    def assert_clean(self, core):
        self.assertEqual(words_in(core, self.secret), 0)

    def assert_leaks(self, core):
        self.assertEqual(words_in(core, self.secret), ALL_WORDS)


@unittest.skipIf(core_pattern()[:1] in "|/", f"cores do not stay here: {core_pattern()}")
class KernelCoreTest(CoreDumpTest):
    def test_fenced(self):
        self.assert_clean(self.core_of_abort(self.fenced("abort")))

    def test_plain(self):
        self.assert_leaks(self.core_of_abort(self.plain("abort")))

    def test_included_by_policy(self):
        self.assert_leaks(self.core_of_abort(self.fenced("abort", "Include")))


@unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
class DebuggerCoreTest(CoreDumpTest):
    def test_fenced(self):
        self.assert_clean(self.core_by_gdb(self.fenced("wait")))

    def test_plain(self):
        self.assert_leaks(self.core_by_gdb(self.plain("wait")))

    def test_included_by_policy(self):
        self.assert_leaks(self.core_by_gdb(self.fenced("wait", "Include")))

    def test_fenced_against_the_kernels_wish(self):
        """The fence is no defence against a debugger that wants to see."""
        self.assert_leaks(self.core_by_gdb(self.fenced("wait"), "dump-excluded-mappings on"))


if __name__ == "__main__":
    harness.main()
