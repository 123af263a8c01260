# SPDX-License-Identifier: Apache-2.0
"""The rows of scripts/coverage's table, in Markdown."""

HEADINGS = ("program", "secret", "copies plain", "copies under the policy", "fenced",
            "locked in place", "left", "where the left ones are, and why", "mallocs moved")


def line(cells):
    return f"| {' | '.join(map(str, cells))} |"


def heading():
    return f"{line(HEADINGS)}\n{line(['---'] * len(HEADINGS))}"


def cells(row, mallocs):
    found = row.fenced
    return (row.program.name, row.secret, row.plain.copies, found.copies, found.fenced,
            found.locked, found.left_over, _places(row), share(mallocs))


def _places(row):
    return "; ".join(f"{count} {place}: {row.reason(place) or '**unexplained**'}"
                     for place, count in sorted(row.fenced.left.items())) or "–"


def share(mallocs):
    return f"{mallocs.share:.2%} of {mallocs.all:,}"


LEGEND = """\
Copies: base addresses with at least 16 intact bytes of a key's component, 8 of a password, in all
processes of the program; of the searches at work and after a reload the one with the most left
over. Mallocs moved: of all that the program made during a round of work after the first."""
