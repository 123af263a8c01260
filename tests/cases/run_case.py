#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one case under the shim and checks how it ended against the directives
in the first comment lines of its source (tests/cases/shim/case.h)."""

import os
import re
import resource
import signal
import subprocess
import sys


def directives(source):
    found = {}
    with open(source, encoding="utf-8") as text:
        for line in text:
            match = re.match(r"// (exit|stderr|without|memlock|policy): (.*)", line)
            if match:
                found[match[1]] = match[2].strip()
            elif not line.startswith("//"):
                break
    return found


def command(pagewarden, policy, program, wanted):
    line = [pagewarden, "run", "--policy", policy, "--"]
    if "without" in wanted and os.geteuid() == 0:
        line += ["setpriv", f"--bounding-set=-{wanted['without']}",
                 f"--inh-caps=-{wanted['without']}"]
    return line + program


def lower_memlock(wanted):
    def lower():
        limit = int(wanted["memlock"])
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return lower if "memlock" in wanted else None


def ending(code):
    return signal.Signals(-code).name if code < 0 else str(code)


def problems_under(policy, pagewarden, program, wanted):
    result = subprocess.run(command(pagewarden, policy, program, wanted), text=True, timeout=100,
                            capture_output=True, preexec_fn=lower_memlock(wanted), check=False)
    sys.stdout.write(result.stdout)
    sys.stderr.write(result.stderr)
    problems = []
    if ending(result.returncode) != wanted["exit"]:
        problems.append(f"ended with {ending(result.returncode)}, not {wanted['exit']}")
    if "stderr" in wanted and result.stderr.splitlines() != [wanted["stderr"]]:
        problems.append(f"stderr is not the line: {wanted['stderr']}")
    return problems


def main():
    pagewarden, source, *program = sys.argv[1:]
    os.environ.pop("MALLOC_PERTURB_", None)  # meson's: it fills gigabytes that a case only asks for
    os.environ.pop("LD_LIBRARY_PATH", None)  # meson's: the cases find their libraries by RUNPATH
    wanted = directives(source)
    problems = []
    for policy in wanted.get("policy", "cases.yaml").split():
        path = os.path.join(os.path.dirname(source), policy)
        found = problems_under(path, pagewarden, program, wanted)
        problems += [f"{problem} ({policy})" for problem in found]
    for problem in problems:
        print("FAILED:", problem)
    return 1 if problems else 0


sys.exit(main())
