#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an allocation costs once the shim has started: its own instructions, as
callgrind counts them, and system calls, of which there must be none.

    tests/goldens/steady_test.py PAGEWARDEN POLICY PAIRS [--update]

--update rewrites instructions.txt. Instructions of the allocator below and of
the loop are not counted, and neither is start-up: the figure is the difference
of two runs."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

GOLDEN = pathlib.Path(__file__).resolve().parent / "instructions.txt"
PAGEWARDEN = POLICY = PAIRS = ""
ROWS = ("malloc", "new", "tagged", "following-malloc", "following-new", "following-tagged")
COUNT = 1000
STEADY_COUNT = 10_000
SKIPPED = 77


def fenced(*command):
    """Runs the command under the policy; what it wrote to the file it knows as OUTPUT."""
    with tempfile.NamedTemporaryFile() as output:
        line = [word.replace("OUTPUT", output.name) for word in command]
        subprocess.run([PAGEWARDEN, "run", "--policy", POLICY, "--", *line], check=True,
                       capture_output=True, text=True)
        return pathlib.Path(output.name).read_text(encoding="utf-8")


def following(*command):
    """The same in a process that follows a live image."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = subprocess.run([PAGEWARDEN, "policy", "compile", POLICY, "-o", folder, "--live"],
                                  check=True, capture_output=True, text=True)
        output = pathlib.Path(folder) / "output"
        line = [word.replace("OUTPUT", str(output)) for word in command]
        subprocess.run(["env", *compiled.stdout.split(), *line], check=True, capture_output=True)
        return output.read_text(encoding="utf-8")


def instructions_of(profile, library):
    """The sum of the library's own instructions in callgrind's output format."""
    total, inside, is_call = 0, False, False
    names = {}
    for line in profile.splitlines():
        match = re.match(r"c?ob=\((\d+)\)(?: (.*))?$", line)
        if match:
            if match[2]:
                names[match[1]] = match[2]
            if not line.startswith("c"):
                inside = names[match[1]].endswith("/" + library)
        elif re.match(r"[\d+*-]", line):
            if inside and not is_call:
                total += int(line.split()[1])
            is_call = False
        else:
            is_call = line.startswith("calls=")  # the next line is the callee's cost
    return total


def run_pairs(how, what, count):
    return instructions_of(
        how("valgrind", "--tool=callgrind", "--callgrind-out-file=OUTPUT", PAIRS, what,
            str(count)), "libpagewarden.so")


def instructions_per_pair(row):
    """`following-` before what is done: in a process that follows a live image."""
    what = row.removeprefix("following-")
    how = fenced if row == what else following
    return round((run_pairs(how, what, 2 * COUNT) - run_pairs(how, what, COUNT)) / COUNT)


def read_golden():
    return {name: int(value) for name, value in
            (line.split() for line in GOLDEN.read_text(encoding="utf-8").splitlines())}


def update():
    lines = [f"{row} {instructions_per_pair(row)}\n" for row in ROWS]
    GOLDEN.write_text("".join(lines), encoding="utf-8")


class SteadyTest(unittest.TestCase):
    def check(self, what, tolerance):
        golden = read_golden()[what]
        now = instructions_per_pair(what)
        self.assertGreater(now, 0)
        self.assertLessEqual(abs(now - golden), tolerance * golden if tolerance < 1 else tolerance,
                             f"{now} instructions a pair, not {golden}: if that is meant, --update")

    def test_forwarded_malloc_and_free(self):
        self.check("malloc", 1)

    def test_forwarded_new_and_delete(self):
        self.check("new", 1)

    def test_tagged_malloc_and_free(self):
        self.check("tagged", 0.1)

    def test_the_same_where_an_image_is_followed(self):
        self.check("following-malloc", 1)
        self.check("following-new", 1)
        self.check("following-tagged", 0.1)

    def test_no_system_call(self):
        self.check_no_system_call(fenced)

    def test_no_system_call_where_an_image_is_followed(self):
        self.check_no_system_call(following)

    def check_no_system_call(self, how):
        if not can_trace():
            self.skipTest("ptrace(2) is not permitted here")
        trace = how("strace", "-f", "-o", "OUTPUT", PAIRS, "steady", str(STEADY_COUNT))
        calls = [line.split(maxsplit=1)[1] for line in trace.splitlines()]
        markers = [i for i, call in enumerate(calls) if call.startswith("getppid(")]
        self.assertEqual(len(markers), 2)
        self.assertEqual(calls[markers[0] + 1:markers[1]], [])
        self.assertTrue(any(call.startswith("mlock") for call in calls[:markers[0]]),
                        "strace saw nothing of the shim")


def can_trace():
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True,
                          check=False).returncode == 0


if __name__ == "__main__":
    PAGEWARDEN, POLICY, PAIRS = sys.argv[1:4]
    del sys.argv[1:4]
    if "--update" in sys.argv:
        update()
        sys.exit(0)
    result = unittest.main(exit=False).result
    for _, reason in result.skipped:
        print("skipped:", reason)
    sys.exit(1 if not result.wasSuccessful() else SKIPPED if result.skipped else 0)
