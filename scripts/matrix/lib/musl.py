# SPDX-License-Identifier: Apache-2.0
"""What each musl must show."""

import pathlib

from lib import cell, debian


def check(lab, loader):
    """The probe under `loader`, which is both the loader and the libc of musl."""
    probe = lab.compile("probe.c", f"-Wl,--dynamic-linker={loader}",
                        compiler=cell.program_in_path("musl-gcc"))
    lab.expect_core([probe])
    with lab.started(lab.under_shim([probe, "hold"])) as held:
        cell.need_active(lab.shim_when_ready(held), live=1)
        maps = pathlib.Path(f"/proc/{held.pid}/maps").read_text(encoding="utf-8")
        cell.need(str(pathlib.Path(loader).resolve()) in maps, f"{loader} is not its libc")
    return f"musl {version(lab, loader)}: probe fenced"


def version(lab, loader):
    usage = lab.plain([loader]).stderr  # without a program it explains itself
    return usage.split("Version ")[1].split()[0]


def of_suite(suite):
    """The libc.so of `suite`; its folder moved below /usr with Debian 12."""
    return next(debian.unpacked(suite, ("musl",)).rglob("x86_64-linux-musl/libc.so"))
