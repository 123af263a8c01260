# SPDX-License-Identifier: Apache-2.0
"""Kernel images out of Debian's packages. Nothing is installed.

They come from where this machine's apt gets its own packages, signatures
checked, and stay in build/kernels.
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess

from lib import cell, debian


class Unavailable(Exception):
    """A kernel cannot be had; says why."""


@dataclasses.dataclass(frozen=True)
class Image:
    path: pathlib.Path
    package: str
    version: str  # of the package: "6.1.192-1"


def _rank(name):
    """Newest last; of one version the package that has the kernel itself: since 7.0
    linux-image only depends on linux-binary."""
    return [int(number) for number in re.findall(r"\d+", name)], name.startswith("linux-binary")


def newest_of(packages):
    return max(packages, key=_rank)


def _checked(done, what):
    if done.returncode != 0:
        problem = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise Unavailable(f"{what}: {problem[-1]}")
    return done.stdout


def _newest(apt, kernel):
    _checked(apt("update"), f"apt-get update of {kernel.suite} (is there a network?)")
    found = _checked(apt("search", "--names-only", kernel.pattern, tool="apt-cache"), "apt-cache")
    packages = [line.split(" ")[0] for line in found.splitlines()]
    if not packages:
        raise Unavailable(f"{kernel.suite} has no package {kernel.pattern}")
    return newest_of(packages)


def _unpack(package_file, image_file):
    """The kernel alone: the modules are five times as large, and nothing here needs one."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package_file],
                          stdout=subprocess.PIPE) as members, open(image_file, "wb") as out:
        done = subprocess.run(["tar", "-x", "-O", "--wildcards", "--no-anchored", "vmlinuz*"],
                              stdin=members.stdout, stdout=out, check=False)
    if done.returncode != 0 or image_file.stat().st_size == 0:
        raise Unavailable(f"{package_file.name} has no kernel in it")


def _download(apt, package, directory):
    directory.mkdir(parents=True)
    _checked(apt("download", package, cwd=directory), f"apt-get download {package}")
    [package_file] = directory.glob("*.deb")
    _unpack(package_file, directory / "vmlinuz")
    version = cell.run(["dpkg-deb", "--field", package_file, "Version"]).strip()
    (directory / "package").write_text(f"{package} {version}\n", encoding="ascii")
    package_file.unlink()


def _opened(directory):
    package, version = (directory / "package").read_text(encoding="ascii").split()
    return Image(directory / "vmlinuz", package, version)


def image(kernel, refresh=False):
    """The image of `kernel`, downloaded when it is not there, or on `refresh`.

    Raises Unavailable.
    """
    name = kernel.name.removesuffix("-v1")
    directory = cell.BUILD / "kernels" / name
    if refresh or not directory.exists():
        unfinished = directory.with_name(f"{name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            apt = debian.Apt(kernel.suite, unfinished / "apt", kernel.label)
            _download(apt, _newest(apt, kernel), unfinished / "image")
        except (cell.Skip, cell.Failure) as reason:
            raise Unavailable(str(reason)) from reason
        shutil.rmtree(directory, ignore_errors=True)
        (unfinished / "image").rename(directory)  # only a whole one counts
        shutil.rmtree(unfinished)
    return _opened(directory)
