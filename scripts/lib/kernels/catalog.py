# SPDX-License-Identifier: Apache-2.0
"""The kernels of the matrix: Debian's own, the newest of each line that is kept."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Kernel:
    name: str  # what the command line and the table say
    suite: str  # of the archive
    label: str  # of the archive, as its Release file has it
    pattern: str  # of the package's name
    cgroups: str = "v2"  # which hierarchy the guest mounts


def _debian(name, suite, pattern, label="Debian"):
    return Kernel(name, suite, label, f"^linux-(image|binary)-{pattern}-amd64$")


# Old lines are served by the security archive, later than by the main one.
KERNELS = (
    _debian("5.10", "bullseye-security", r"5\.10\.0-[0-9]+", "Debian-Security"),
    _debian("6.1", "bookworm-security", r"6\.1\.0-[0-9]+", "Debian-Security"),
    _debian("6.12", "trixie-security", r"6\.12\.[0-9]+\+deb13", "Debian-Security"),
    _debian("6.18", "trixie-backports", r"6\.18\.[0-9]+\+deb13"),
    _debian("sid", "sid", r"[0-9.]+\+deb[0-9]+"),
    _debian("newest", "trixie-backports", r"[0-9.]+\+deb13"),
)


def legacy(kernel):
    """The same kernel with the cgroup hierarchy of version 1."""
    return dataclasses.replace(kernel, name=f"{kernel.name}-v1", cgroups="v1")


ALL = {kernel.name: kernel
       for each in KERNELS for kernel in ((each, legacy(each)) if each.name == "6.1" else (each,))}
