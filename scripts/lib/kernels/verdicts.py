# SPDX-License-Identifier: Apache-2.0
"""What the jobs of a guest said, as cells of a table."""

import dataclasses
import json

import summary

# The audit's 4: partial data. It is said in words; the hooks are there.
GOOD = {"facts": (0,), "hooks": (0, 4)}


@dataclasses.dataclass(frozen=True)
class Cell:
    text: str
    good: bool = True
    details: tuple = ()  # lines for below the table: failures, reasons of skips


def _tests(suite, job):
    result = {0: "OK", 77: "SKIP"}.get(job.status, "FAIL")
    counts = summary.count_program({"name": suite.name, "stdout": job.output, "result": result})
    text = f"{int(counts.passed)} passed"
    if counts.failed:
        text += f", {int(counts.failed)} FAILED"
    if counts.skipped:
        text += f", {len(counts.skipped)} skipped"
    details = [f"skipped: {reason}" for reason in counts.skipped]
    if counts.failed:
        details += job.output.strip().splitlines()
    return Cell(text, not counts.failed, tuple(details))


def _objects(output):
    for line in output.splitlines():
        if line.startswith("{"):
            yield from json.loads(line).items()


def _hooks(output):
    """(question, hook) of a report of `pagewarden audit --json --hooks`."""
    start = output.find("{")
    report = json.JSONDecoder().raw_decode(output[start:])[0] if start >= 0 else {}
    for hook in report.get("hooks", ()):
        yield f"hook for {hook['question']}", hook["hook"] or "none"


def facts(suite, boot):
    """The name → value pairs that a suite of the kind "facts" or "hooks" printed."""
    job = boot.jobs.get(suite.name)
    if job is None or job.status not in GOOD[suite.kind]:
        return {}
    return dict(_hooks(job.output) if suite.kind == "hooks" else _objects(job.output))


def _absent(suite, boot, reason):
    """Good while the suite fails: once it passes, the kernel has what it lacked."""
    job = boot.jobs.get(suite.name)
    if job is None or job.status in (0, None):
        return Cell("no longer absent" if job else "NOT RUN", False, (reason,))
    return Cell("absent", True, (f"absent: {reason}",))


def cell(suite, boot, kernel=""):
    """The verdict of `suite` on the kernel of that name."""
    if kernel in suite.absent:
        return _absent(suite, boot, suite.absent[kernel])
    job = boot.jobs.get(suite.name)
    if job is None or job.status is None:
        problem = boot.panic() or boot.problem or "the guest did not run it"
        return Cell("NOT RUN" if job is None else "CUT SHORT", False, (problem,))
    if suite.kind != "tests":
        good = bool(facts(suite, boot))
        return Cell("", good, () if good else (f"exit {job.status}", *job.output.splitlines()))
    return _tests(suite, job)
