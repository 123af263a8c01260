# SPDX-License-Identifier: Apache-2.0
"""The matrix in Markdown: a column a kernel, a row a suite, a hook or a fact."""

from kernels import verdicts


def _cell(suite, run):
    return verdicts.cell(suite, run.boot, run.kernel.name)


def _row(cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _fact_rows(suite, runs):
    found = [verdicts.facts(suite, run.boot) for run in runs]
    names = dict.fromkeys(name for facts in found for name in facts)
    return [_row([name, *(facts.get(name, "–") for facts in found)]) for name in names]


def markdown(suites, runs):
    rows = [_row(["", *(run.kernel.name for run in runs)]),
            _row(["---"] * (len(runs) + 1)),
            _row(["package version", *(run.image.version for run in runs)]),
            _row(["cgroups", *(run.kernel.cgroups for run in runs)])]
    for suite in suites:
        if suite.kind != "tests":
            rows += _fact_rows(suite, runs)
        else:
            cells = [_cell(suite, run).text for run in runs]
            rows.append(_row([f"tests: {suite.name}", *cells]))
    rows.append(_row(["boot and tests", *(f"{run.seconds:.0f} s" for run in runs)]))
    return "\n".join(rows)


def details(suites, runs):
    """Lines on what was skipped, what failed and which boots were repeated."""
    for run in runs:
        if run.retried:
            yield f"{run.kernel.name}: booted again after: {run.retried}"
        for suite in suites:
            cell = _cell(suite, run)
            for line in cell.details:
                yield f"{run.kernel.name} {suite.name}: {line}"


def as_json(suites, runs):
    return {"schemaVersion": 1, "kernels": [{
        "name": run.kernel.name, "package": run.image.package, "version": run.image.version,
        "cgroups": run.kernel.cgroups, "seconds": round(run.seconds, 1), "retried": run.retried,
        "facts": {name: value for suite in suites if suite.kind != "tests"
                  for name, value in verdicts.facts(suite, run.boot).items()},
        "suites": {suite.name: {"verdict": _cell(suite, run).text,
                                "good": _cell(suite, run).good}
                   for suite in suites},
    } for run in runs]}


def good(suites, runs):
    return all(_cell(suite, run).good for run in runs for suite in suites)
