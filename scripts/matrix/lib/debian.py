# SPDX-License-Identifier: Apache-2.0
"""Packages of other Debian suites, unpacked in a directory; nothing is installed.

They come from where this machine's apt gets its own Debian packages, through
apt's own configuration, signatures checked, and stay in build/matrix.
"""

import os
import pathlib
import shutil
import subprocess

from lib import cell

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def mirror(label="Debian"):
    """The address of Debian's archive of that label ("Debian", "Debian-Security"),
    as this machine's apt has it."""
    lines = cell.run(["apt-get", "indextargets", "--format", "$(REPO_URI)",
                      "Created-By: Packages", "Origin: Debian", f"Label: {label}"])
    if not lines.strip():
        raise cell.Skip(f"apt knows no archive of the label {label} (try apt-get update)")
    return lines.splitlines()[0]


class Apt:
    """An apt of its own, that believes nothing to be installed."""

    def __init__(self, suite, directory, label="Debian"):
        self.directory = directory
        for part in ("lists/partial", "archives/partial"):
            (directory / part).mkdir(parents=True, exist_ok=True)
        (directory / "status").touch()
        (directory / "sources.list").write_text(
            f"deb [arch=amd64 signed-by={KEYRING}] {mirror(label)} {suite} main\n",
            encoding="ascii")

    def __call__(self, *arguments, tool="apt-get", **options):
        return subprocess.run([tool, "-q", *self._settings(), *arguments], text=True,
                              capture_output=True, check=False, **options)

    def _settings(self):
        settings = {"Dir::Etc::SourceList": self.directory / "sources.list",
                    "Dir::Etc::SourceParts": "-",
                    "Dir::Etc::Preferences": "-",
                    "Dir::Etc::PreferencesParts": "-",
                    "Dir::State::Lists": self.directory / "lists",
                    "Dir::State::Status": self.directory / "status",
                    "Dir::State::Extended_States": self.directory / "extended_states",
                    "Dir::Cache": self.directory,
                    "APT::Get::Assume-Yes": "true",
                    "APT::Sandbox::User": "root"}
        return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _download(apt, packages):
    for step in (("update",),
                 ("install", "--download-only", "--no-install-recommends", *packages)):
        done = apt(*step)
        if done.returncode != 0:
            raise cell.Skip(f"apt-get {step[0]}: {done.stderr.strip().splitlines()[-1]}")


def _unpack(directory, root):
    for package in sorted((directory / "archives").glob("*.deb")):
        cell.run(["dpkg", "-x", package, root])
    # Newer suites ship /usr only, and leave the links to a script.
    for name in ("bin", "lib", "lib64"):
        if not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")
    for link in filter(pathlib.Path.is_symlink, root.rglob("*")):
        target = link.readlink()
        if target.is_absolute():
            link.unlink()
            link.symlink_to(os.path.relpath(root / target.relative_to("/"), link.parent))


def unpacked(suite, packages):
    """The root directory made of `packages` of `suite` and what they depend on."""
    directory = cell.BUILD / "matrix" / f"{suite}-{packages[0]}"
    root = directory / "root"
    if root.exists():
        return root
    cell.need_root()
    print(f"downloading {' '.join(packages)} of {suite}", flush=True)
    shutil.rmtree(directory, ignore_errors=True)
    _download(Apt(suite, directory), packages)
    _unpack(directory, directory / "unfinished")
    shutil.rmtree(directory / "archives")
    shutil.rmtree(directory / "lists")
    (directory / "unfinished").rename(root)  # only a whole one counts
    return root
