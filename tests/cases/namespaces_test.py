#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the shim counts the namespaces that it is not in.

    namespaces_test.py PAGEWARDEN POLICY PROGRAM"""

import json
import subprocess
import sys
import unittest

PAGEWARDEN = POLICY = PROGRAM = ""


def counter(pid):
    audit = subprocess.run([PAGEWARDEN, "audit", "--json", "--pid", str(pid)],
                           capture_output=True, text=True, check=True)
    [cgroup] = [c for c in json.loads(audit.stdout)["cgroups"] if c["processes"]]
    return cgroup["processes"][0]["shim"]["namespaces"]


class NamespacesTest(unittest.TestCase):
    def test_new_ones_are_counted_and_the_base_is_not(self):
        command = [PAGEWARDEN, "run", "--policy", POLICY, "--", PROGRAM]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
            self.assertEqual(program.stdout.readline(), b"ready\n")
            self.assertEqual(counter(program.pid), 2)
            program.stdin.close()
            self.assertEqual(program.wait(60), 0)


if __name__ == "__main__":
    PAGEWARDEN, POLICY, PROGRAM = sys.argv[1:4]
    del sys.argv[1:4]
    unittest.main()
