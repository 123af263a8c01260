#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A first policy, as a new user meets the tools: ten lines with two mistyped keys, and nothing
known but what is printed, up to an nginx that `verify` finds fenced."""

import re
import shlex
import unittest

import harness
import learning
import pagewarden
from credentials import make_keys
from nginx import Nginx

FIRST_TRY = """\
# Keep nginx's TLS keys out of swap and core dumps.
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata:
  name: my-nginx
spec:
  selectr:
    matchBinaries: [/usr/sbin/nginx]
  rules:
    - match: {prset: openssl-private-keys}
"""
ERROR = re.compile(r'^(?P<file>.+):(?P<line>\d+):(?P<column>\d+): error (?P<code>PW-P\d+): '
                   r'unknown key "(?P<wrong>[^"]+)"$')
SUGGESTION = re.compile(r'^  did you mean "(?P<right>[^"]+)"\?$')


def follow_suggestions(path, stderr):
    """Replaces each word that lint points at by the one that it suggests; how many."""
    lines = path.read_text(encoding="utf-8").splitlines()
    done, error = 0, None
    for line in stderr.splitlines():
        error = ERROR.match(line) or error
        suggestion = SUGGESTION.match(line)
        if not suggestion or error is None:
            continue
        text, start = lines[int(error["line"]) - 1], int(error["column"]) - 1
        assert text[start:].startswith(error["wrong"]), f"the place is wrong: {line}"
        lines[int(error["line"]) - 1] = (text[:start] + suggestion["right"] +
                                         text[start + len(error["wrong"]):])
        done, error = done + 1, None
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return done


def next_steps(stdout):
    """The commands that lint prints, by what they do."""
    lines = [line for line in stdout.splitlines() if line.startswith("  pagewarden")]
    commands = [shlex.split(line) for line in lines]
    return {command[1] if command[1] != "policy" else command[2]: command[1:]
            for command in commands}


@harness.needs_root
class NewUserTest(unittest.TestCase):

    def test_from_two_typos_to_a_fenced_nginx(self):
        setup = self.enterContext(harness.SetUp("nginx"))
        keys = make_keys(setup.directory)
        policy = setup.directory / "my-nginx.yaml"
        policy.write_text(FIRST_TRY, encoding="utf-8")
        policy.chmod(0o644)

        first = learning.run("policy", "lint", policy)
        self.assertEqual(first.returncode, 3, first.stderr)
        self.assertEqual(follow_suggestions(policy, first.stderr), 2, first.stderr)

        second = learning.run("policy", "lint", policy)
        self.assertEqual((second.returncode, second.stderr), (0, ""))
        steps = next_steps(second.stdout)
        self.assertEqual(set(steps), {"explain", "run", "verify"}, second.stdout)

        explained = learning.run(*steps["explain"])
        self.assertEqual(explained.returncode, 0, explained.stderr)
        self.assertIn("policy my-nginx", explained.stdout)

        with Nginx(setup, keys, 2, fenced=True, policy=policy) as nginx:
            self.assertEqual(nginx.command[1:len(steps["run"]) + 1], steps["run"])
            nginx.load(50)
            for key in keys:
                code, report = pagewarden.verify(setup.cgroup, [key])
                self.assertEqual(code, 0, report["summary"])
                self.assertEqual({copy["pid"] for copy in report["copies"]}, set(nginx.pids()))

        # The last of the printed commands starts nginx itself; only KEY.pem and nginx's own
        # arguments are the user's.
        words = [str(keys[0].key) if word == "KEY.pem" else word for word in steps["verify"]]
        at = words.index("--") + 1
        self.assertEqual(words[at], "pagewarden")
        words[at] = str(pagewarden.PAGEWARDEN)
        done = learning.run(*words, "-c", nginx.config)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    harness.main()
