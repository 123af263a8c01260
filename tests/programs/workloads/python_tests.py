# SPDX-License-Identifier: Apache-2.0
"""CPython's own test modules, with every object from malloc instead of pymalloc."""

import os
import re

import harness

from .workload import Workload


class PythonTests(Workload):
    programs = ("/usr/bin/python3", "/usr/lib/python3.11/test/__main__.py")
    timeout = 600

    def __init__(self, *modules, fast, runs):
        self.name = "python3 tests"
        self.work = " ".join(modules)
        self.fast = fast
        self.runs = runs
        self._modules = modules

    def run(self, session, inputs):
        environment = {**os.environ, "PYTHONMALLOC": "malloc", "TMPDIR": str(session.directory)}
        report = session.run(["/usr/bin/python3", "-m", "test", "-v", *self._modules],
                             env=environment)
        if not re.search(r"^(All \d+ tests|1 test) OK\.$", report, re.M):
            raise harness.HarnessError(f"python3 -m test : {report[-2000:]}")
        return " ".join(re.findall(r"^Ran \d+ tests?|^OK \(.*\)$", report, re.M))
