#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules by the innermost return addresses, which are taken from the disassembly, and by the
nearest caller behind several frames that are transparent.

    stack_test.py PAGEWARDEN FOLDER PATHS…    (built from shim/paths.c)"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PAGEWARDEN = FOLDER = ""
PROGRAMS = []
POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: stack}}
spec:
  rules:
    - match: {{stack: {stack}}}
"""
TRANSPARENT = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: transparent}}
spec:
  transparent: [{{module: "libpaths*", functions: {transparent}}}]
  rules:
    - match: {{callers: [{{module: "libpaths*", functions: {callers}}}]}}
"""
PLAIN = dict.fromkeys(("site", "left", "right", "by_left", "by_right"), "plain")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


class Library:
    def __init__(self, program):
        self.path = str(pathlib.Path(FOLDER) / f"lib{pathlib.Path(program).name}.so")
        self.build_id = re.search(r"Build ID: (\w+)", output("readelf", "-n", self.path))[1]
        self.text = output("objdump", "-d", "--no-show-raw-insn", self.path)

    def after_call(self, function, callee):
        """BUILDID+0xOFFSET of what `callee` returns to in `function`."""
        body = re.search(rf"<{function}>:\n(.*?)\n\n", self.text, re.DOTALL)[1]
        address = re.search(rf"call .*<{callee}@plt>\n *([0-9a-f]+):", body)[1]
        return f"{self.build_id}+0x{address}"


def run_under(policy, program):
    """What it says of each path."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(policy)
        file.flush()
        lines = output(PAGEWARDEN, "run", "--policy", file.name, "--", program)
        return dict(line.split() for line in lines.splitlines())


class CallersTest(unittest.TestCase):
    def check(self, transparent, callers, **fenced):
        policy = TRANSPARENT.format(transparent=transparent, callers=callers)
        for program in PROGRAMS:
            with self.subTest(program):
                self.assertEqual(run_under(policy, program), {**PLAIN, **fenced})

    def test_behind_one_frame(self):
        self.check("[site]", "[left]", left="fenced", by_left="fenced")
        self.check("[site]", "[right]", right="fenced", by_right="fenced")

    def test_behind_two_frames(self):
        self.check("[site, left, right]", "[by_left]", by_left="fenced")
        self.check("[site, left, right]", "[by_right]", by_right="fenced")

    def test_the_nearest_counts(self):
        self.check("[site]", "[by_left, by_right]")
        self.check("[left]", "[by_left]")


class StackTest(unittest.TestCase):
    def check(self, signatures, **fenced):
        """`signatures` names calls: of each, the function and whom it calls."""
        for program in PROGRAMS:
            library = Library(program)
            stack = [[library.after_call(*call) if isinstance(call, tuple) else call
                      for call in signature] for signature in signatures]
            with self.subTest(program):
                policy = POLICY.format(stack=str(stack).replace("'", '"'))
                self.assertEqual(run_under(policy, program), {**PLAIN, **fenced})

    def test_one_frame_is_the_call_itself(self):
        self.check([[("site", "malloc")]], **dict.fromkeys(PLAIN, "fenced"))

    def test_two_frames(self):
        self.check([[("site", "malloc"), ("left", "site")]], left="fenced", by_left="fenced")
        self.check([[("site", "malloc"), ("right", "site")]], right="fenced", by_right="fenced")

    def test_three_frames(self):
        self.check([[("site", "malloc"), ("left", "site"), ("by_left", "left")]],
                   by_left="fenced")
        self.check([[("site", "malloc"), ("right", "site"), ("by_right", "right")]],
                   by_right="fenced")

    def test_several_signatures(self):
        self.check([[("site", "malloc"), ("right", "site")],
                    [("site", "malloc"), ("left", "site"), ("by_left", "left")]],
                   right="fenced", by_right="fenced", by_left="fenced")

    def test_frames_in_another_order_are_another_stack(self):
        self.check([[("site", "malloc"), ("by_left", "left"), ("left", "site")]])
        self.check([[("left", "site"), ("by_left", "left")]])

    def test_another_build_of_the_library_is_another_library(self):
        self.check([["0123456789abcdef0123456789abcdef01234567+0x1130"]])


if __name__ == "__main__":
    PAGEWARDEN, FOLDER, *PROGRAMS = sys.argv[1:]
    del sys.argv[1:]
    unittest.main()
