#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the shim counts the namespaces that it is not in.

    namespaces_test.py PAGEWARDEN POLICY LIBRARY PROGRAM"""

import re
import subprocess
import sys
import unittest

PAGEWARDEN = POLICY = LIBRARY = PROGRAM = ""


def counter_offset():
    table = subprocess.run(["nm", LIBRARY], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"^(\w+) . pw_namespaces$", table, re.MULTILINE)[1], 16)


def counter(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        base = next(int(line.split("-")[0], 16) for line in maps if "libpagewarden.so" in line)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(base + counter_offset())
        return int.from_bytes(memory.read(8), "little")


class NamespacesTest(unittest.TestCase):
    def test_new_ones_are_counted_and_the_base_is_not(self):
        command = [PAGEWARDEN, "run", "--policy", POLICY, "--", PROGRAM]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
            self.assertEqual(program.stdout.readline(), b"ready\n")
            self.assertEqual(counter(program.pid), 2)
            program.stdin.close()
            self.assertEqual(program.wait(60), 0)


if __name__ == "__main__":
    PAGEWARDEN, POLICY, LIBRARY, PROGRAM = sys.argv[1:5]
    del sys.argv[1:5]
    unittest.main()
