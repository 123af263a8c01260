# SPDX-License-Identifier: Apache-2.0
"""Programs built with one of gcc's sanitizers."""

from lib import cell


def check_covered(lab, name):
    """The sanitizer's runtime is behind the shim: fenced, and it finds nothing."""
    probe = lab.compile("probe.c", f"-fsanitize={name}")
    lab.expect_core([probe])
    with lab.started(lab.under_shim([probe, "hold"])) as held:
        cell.need_active(lab.shim_when_ready(held), live=1)
    return "fenced; the sanitizer has nothing to say"


def check_unfenced(lab, command, reason, advice=""):
    """Works without a fence, says so to whom it concerns, and is reported."""
    with lab.started(lab.under_shim(command)) as program:
        cell.need_uncovered(lab.shim_when_ready(program), reason)
        lab.finish(program, 7, "uncovered: works\n", stderr=advice)
    return f"works, nothing is fenced, reported as {reason}"


def advice(runtime):
    """The line of the shim where a sanitizer's runtime would have to come first."""
    return (f"pagewarden: {runtime}'s runtime must be loaded before the shim: "
            "this program runs without a fence\n")
