#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`pagewarden learn` on a small program that keeps its secret in every kind of place: what it
learns, that it holds in another process with another secret, and how it fails."""

import pathlib
import re
import secrets
import tempfile
import unittest

import harness
import learning

TARGET = harness.BUILD / "tests" / "programs" / "learn-target"


class LearnTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="pagewarden-learn-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)
        self.secret = self.directory / "secret"
        self.secret.write_text(secrets.token_hex(16), encoding="ascii")
        self.policy = self.directory / "policy.yaml"

    def learn(self, *options, command=(TARGET,), secret=None, output=None):
        arguments = ["--secret-text-file", secret or self.secret, "--settle", "0.7",
                     "--output", output or self.policy, *options, "--", *command]
        return learning.learn(arguments, cwd=self.directory)

    def test_small_program(self):
        learned = self.learn(command=(TARGET, self.secret))
        self.assertEqual(learned.returncode, 0, learned.stderr)
        self.assertEqual(learned.heap_fenced, learned.heap, learned.stderr)
        self.assertGreater(learned.heap, 0, learned.stderr)
        self.assertLess(learned.moved_percent, 1, learned.stderr)
        yaml = self.policy.read_text(encoding="utf-8")
        self.assertIn("name: learned-learn-target", yaml)
        self.assertRegex(yaml, r"(?m)^    mappings:\n      - \"learn-target\"")
        self.assertRegex(yaml, r"(?m)^    data:\n      - \"learn-target\"")
        # The block that is kept, the one that is freed, and fopen's buffer.
        self.assertEqual(len(re.findall(r"(?m)^          - \[", yaml)), 3, yaml)

        self.secret.write_text(secrets.token_hex(16), encoding="ascii")
        with learning.Fenced(self.policy, [TARGET, self.secret], self.directory) as program:
            harness.wait_until(lambda: program.verify(self.secret).heap > 0, "it has its secret")
            found = program.verify(self.secret)
        self.assertEqual(found.heap_fenced, found.heap)
        self.assertEqual({copy["kind"] for copy in found.copies}, {"Arena", "Anonymous", "Data"})
        self.assertTrue(all(copy["locked"] for copy in found.copies), found.copies)

    def test_explain_knows_what_was_learned(self):
        self.learn(command=(TARGET, self.secret))
        done = learning.run("policy", "explain", "--policy", self.policy, "--exe", TARGET)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("3 of 3 bind", done.stdout)

    def assert_error(self, learned, code, said):
        self.assertEqual(learned.returncode, code, learned.stderr)
        lines = learned.stderr.splitlines()
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(said, lines[0])
        self.assertFalse(self.policy.exists())

    def test_missing_secret_file(self):
        self.assert_error(self.learn(secret=self.directory / "none"), 2, "No such file")

    def test_program_that_cannot_start(self):
        self.assert_error(self.learn(command=["/nonexistent"]), 127, "command not found")
        self.assert_error(self.learn(command=["/etc/passwd"]), 126, "not an executable file")

    def test_program_that_ends(self):
        self.assert_error(self.learn(command=["sh", "-c", "exit 7"]), 4, "exited with status 7")

    def test_workload_that_fails(self):
        learned = self.learn("--workload", "exit 3", command=(TARGET, self.secret))
        self.assert_error(learned, 4, "the workload failed: exited with status 3")

    def test_secret_that_is_not_there(self):
        other = self.directory / "other"
        other.write_text(secrets.token_hex(16), encoding="ascii")
        learned = self.learn(command=(TARGET, self.secret), secret=other)
        self.assertEqual(learned.returncode, 5, learned.stderr)
        self.assertIn("no copy of the secret was found", learned.stderr.splitlines()[-1])
        self.assertFalse(self.policy.exists())

    def test_output_that_cannot_be_written(self):
        learned = self.learn(output="/nonexistent/policy.yaml", command=(TARGET, self.secret))
        self.assert_error(learned, 2, "--output")

    def test_no_recording_is_left_behind(self):
        before = learning.recordings()
        self.learn(command=(TARGET, self.secret))
        self.assertEqual(learning.recordings() - before, set())


if __name__ == "__main__":
    harness.main()
