#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the audit shows what the shim could not see.

    counters_test.py PAGEWARDEN POLICY PROGRAM COUNTER VALUE

PROGRAM says "ready" when it has done what is counted, and ends with its input."""

import json
import subprocess
import sys
import unittest

PAGEWARDEN = POLICY = PROGRAM = COUNTER = ""
VALUE = 0


def counter(pid):
    audit = subprocess.run([PAGEWARDEN, "audit", "--json", "--pid", str(pid)],
                           capture_output=True, text=True, check=True)
    [cgroup] = [c for c in json.loads(audit.stdout)["cgroups"] if c["processes"]]
    return cgroup["processes"][0]["shim"].get(COUNTER)


class CountersTest(unittest.TestCase):
    def test_shows_the_count(self):
        command = [PAGEWARDEN, "run", "--policy", POLICY, "--", PROGRAM]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
            self.assertEqual(program.stdout.readline(), b"ready\n")
            self.assertEqual(counter(program.pid), VALUE)
            program.stdin.close()
            self.assertEqual(program.wait(60), 0)


if __name__ == "__main__":
    PAGEWARDEN, POLICY, PROGRAM, COUNTER, VALUE = sys.argv[1:6]
    VALUE = int(VALUE)
    del sys.argv[1:6]
    unittest.main()
