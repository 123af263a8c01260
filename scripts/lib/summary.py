#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the cases in meson's testlog.json; exit 1 when any failed or none ran.

    summary.py build/meson-logs/testlog.json

A GoogleTest or unittest program counts with each of its cases, any other
program as one. Skipped cases are listed with the reason they gave.
"""

import dataclasses
import json
import re
import sys

GTEST_CASE = re.compile(
    r"^\[ {2,}(OK|FAILED|SKIPPED) +\] (\S+?)(?:, where .*)? \(\d+ ms\)$", re.M)
GTEST_SKIP = re.compile(r"^\S+:\d+: Skipped\n(.+)\n(?:.*\n)*?\[ +SKIPPED \] (\S+)", re.M)
UNITTEST_RAN = re.compile(r"^Ran \d+ tests? in ", re.M)
UNITTEST_START = re.compile(r"^(test\w+) \(\S+\)")
UNITTEST_VERDICT = re.compile(r"(ok|FAIL|ERROR|skipped (?:'.*'|\".*\"))$")


@dataclasses.dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: list = dataclasses.field(default_factory=list)  # "name: reason"

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def count_gtest(program, output):
    reasons = {case: reason for reason, case in GTEST_SKIP.findall(output)}
    counts = Counts()
    for verdict, case in GTEST_CASE.findall(output):
        counts.passed += verdict == "OK"
        counts.failed += verdict == "FAILED"
        if verdict == "SKIPPED":
            counts.skipped.append(f"{program} {case}: {reasons.get(case, 'no reason given')}")
    return counts


def unittest_verdicts(output):
    """(case, verdict); what a case prints may stand between the two."""
    case = None
    for line in output.splitlines():
        start = UNITTEST_START.match(line)
        case = start.group(1) if start else case
        verdict = UNITTEST_VERDICT.search(line)
        if case and verdict:
            yield case, verdict.group(1)
            case = None


def count_unittest(program, output):
    counts = Counts()
    if not UNITTEST_RAN.search(output):
        return counts
    for case, verdict in unittest_verdicts(output):
        counts.passed += verdict == "ok"
        counts.failed += verdict in ("FAIL", "ERROR")
        if verdict.startswith("skipped"):
            reason = verdict[len("skipped '"):-1]
            counts.skipped.append(f"{program} {case}: {reason}")
    return counts


def count_program(test):
    """The cases of one line of the log."""
    name = test["name"]
    output = test.get("stdout", "") + test.get("stderr", "")
    counts = count_gtest(name, output)
    counts.add(count_unittest(name, output))
    passed = test["result"] in ("OK", "EXPECTEDFAIL")
    skipped = test["result"] == "SKIP"
    if not (counts.passed or counts.failed or counts.skipped):
        lines = output.strip().splitlines()
        reason = lines[-1] if lines else "no reason given"
        return Counts(passed, not passed and not skipped, [f"{name}: {reason}"] if skipped else [])
    if not passed and not skipped and counts.failed == 0:
        counts.failed = 1  # crashed, timed out or failed outside of its cases
    return counts


def main(path):
    total = Counts()
    with open(path, encoding="utf-8") as log:
        for line in log:
            total.add(count_program(json.loads(line)))
    for skipped in total.skipped:
        print(f"skipped: {skipped}")
    print(f"{total.passed} passed, {total.failed} failed, {len(total.skipped)} skipped")
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
