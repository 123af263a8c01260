# SPDX-License-Identifier: Apache-2.0
"""The shim and another preloaded allocator, in either order."""

import pathlib

from lib import cell

LIBRARIES = pathlib.Path("/usr/lib/x86_64-linux-gnu")


def _library(name):
    library = LIBRARIES / name
    if not library.exists():
        raise cell.Skip(f"{name} is not installed")
    return library


def check_below(lab, name):
    """Shim first: tagged memory is fenced, the rest comes from the allocator."""
    environment = lab.environment | {"LD_PRELOAD": str(_library(name))}
    chain = lab.compile("chain.c")
    with lab.started(lab.under_shim([chain, "below"]), env=environment) as program:
        cell.need_active(lab.shim_when_ready(program), live=0)
        lab.finish(program, 7, "core: fenced\n")
    return f"tagged memory fenced, the rest from {name}"


def check_above(lab, name):
    """Allocator first: it serves all, and the shim says that it is shadowed."""
    command = lab.after(_library(name), [lab.compile("chain.c"), "above"])
    with lab.started(lab.under_shim(command)) as program:
        cell.need_uncovered(lab.shim_when_ready(program), "shadowed")
        lab.finish(program, 7, "core: fenced\n")
    return "works, nothing is fenced, reported as shadowed"
