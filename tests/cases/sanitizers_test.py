#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The same program with each sanitizer of gcc, under the shim: none may crash,
and the one that cannot be fenced must say so.

    sanitizers_test.py PAGEWARDEN POLICY FOLDER    (with the sanitized_* programs)"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PAGEWARDEN = POLICY = FOLDER = ""
BY_CALLER = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: by-caller}
spec:
  rules:
    - match: {callers: [{module: "sanitized_*"}, {module: libcase.so}]}
"""


def refusal(sanitizer):
    return (f"pagewarden: {sanitizer}'s runtime must be loaded before the shim: "
            "this program runs without a fence\n")


class SanitizersTest(unittest.TestCase):
    def check(self, name, stdout, stderr="", policy=None, **environment):
        # A gcc 12 ThreadSanitizer does not start with all the randomness of today's kernels.
        command = ["setarch", "--addr-no-randomize", PAGEWARDEN, "run", "--policy", policy or POLICY, "--",
                   str(pathlib.Path(FOLDER) / f"sanitized_{name}")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60,
                              env={**os.environ, **environment})
        self.assertEqual((done.stdout, done.stderr, done.returncode), (stdout + "\n", stderr, 0))

    def test_undefined_and_thread_are_fenced(self):
        self.check("undefined", "fenced")
        self.check("thread", "fenced")

    def test_undefined_and_thread_are_fenced_by_caller(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as policy:
            policy.write(BY_CALLER)
            policy.flush()
            self.check("undefined", "fenced", policy=policy.name)
            self.check("thread", "fenced", policy=policy.name)

    def test_address_linked_dynamically_runs_and_says_so(self):
        self.check("address", "plain", refusal("AddressSanitizer"))

    def test_address_told_not_to_check_is_no_different(self):
        self.check("address", "plain", refusal("AddressSanitizer"),
                   ASAN_OPTIONS="verify_asan_link_order=0")

    def test_address_with_the_shim_disabled_hears_no_more_than_that(self):
        self.check("address", "plain",
                   "pagewarden: warning PAGEWARDEN_DISABLED is set: nothing is fenced\n",
                   PAGEWARDEN_DISABLED="1")

    def test_leak_is_forwarded_and_says_so(self):
        """Its checker would not find the pointers that lie in the fence."""
        self.check("leak", "plain", refusal("LeakSanitizer"))

    def test_address_linked_statically_comes_before_the_shim(self):
        self.check("address_static", "plain")


if __name__ == "__main__":
    PAGEWARDEN, POLICY, FOLDER = sys.argv[1:4]
    del sys.argv[1:4]
    unittest.main()
