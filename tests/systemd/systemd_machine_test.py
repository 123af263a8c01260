#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Debian 12 with Pagewarden installed boots in an emulated machine, systemd is process 1,
and the cases of checks.py pass there: the units of deploy/ as an operator starts them."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "lib"), str(ROOT / "scripts" / "matrix")]

from lib import cell  # noqa: E402

from kernels import catalog, guest, images, initramfs  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
DIRECTORY = cell.BUILD / "systemd"
PACKAGES = ("systemd-sysv,nginx-light,openssl,curl,procps,python3,python3-yaml")
LEFT_OUT = ("usr/share/man", "usr/share/doc", "usr/share/locale", "usr/share/info")
MEMORY_MIB = 3072
CHECK_SECONDS = 600
RESULT = re.compile(r"^(\w+) \(.*\) \.\.\. (ok|FAIL|ERROR|skipped.*)$", re.M)


def debian(archive):
    """The packages of Debian 12, from where this machine's apt gets its own."""
    if archive.exists():
        return
    unfinished = archive.with_suffix(".unfinished.tar")
    excluded = [f"--dpkgopt=path-exclude=/{path}/*" for path in LEFT_OUT]
    cell.run(["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", *excluded, "bookworm",
              unfinished])
    unfinished.rename(archive)


def install(tree):
    """What `meson install` installs, and the libraries that it needs."""
    cell.run(["meson", "install", "-C", cell.BUILD, "--no-rebuild"],
             env={**os.environ, "DESTDIR": str(tree)})
    for library in initramfs.libraries(cell.PAGEWARDEN):
        target = tree / library.lstrip("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(os.path.realpath(library), target)
    for file in tree.glob("usr/local/**/*"):
        if file.name in ("pagewarden", "libpagewarden.so") and file.is_file():
            cell.run(["objcopy", "--strip-debug", file])


def add_checks(tree):
    (tree / "checks").mkdir()
    shutil.copy2(HERE / "checks.py", tree / "checks")
    units = tree / "etc/systemd/system"
    for name in ("checks.service", "checks.timer"):
        shutil.copy2(HERE / name, units)
    (units / "timers.target.wants").mkdir(exist_ok=True)
    (units / "timers.target.wants/checks.timer").symlink_to("../checks.timer")
    # Nothing starts that no case has started.
    for unit in ("nginx.service", "getty@tty1.service", "serial-getty@ttyS0.service",
                 "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer"):
        for link in units.glob(f"*.wants/{unit}"):
            link.unlink()


def archive_of(tree, path):
    with open(path, "wb") as out, subprocess.Popen(["find", ".", "-print0"], cwd=tree,
                                                   stdout=subprocess.PIPE) as names:
        subprocess.run(["cpio", "--null", "--create", "--format=newc", "--quiet"], cwd=tree,
                       stdin=names.stdout, stdout=out, check=True)


def boot():
    """What the checks printed."""
    DIRECTORY.mkdir(exist_ok=True)
    tree, packed = DIRECTORY / "root", DIRECTORY / "root.cpio"
    debian(DIRECTORY / "debian.tar")
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    try:
        cell.run(["tar", "-C", tree, "-xf", DIRECTORY / "debian.tar"])
        install(tree)
        add_checks(tree)
        archive_of(tree, packed)
    finally:
        shutil.rmtree(tree)
    shutil.rmtree(DIRECTORY / "logs", ignore_errors=True)
    image = images.image(catalog.ALL["6.1"])
    return guest.boot(image.path, packed, DIRECTORY / "logs", "v2", CHECK_SECONDS,
                      init="/sbin/init", memory_mib=MEMORY_MIB)


class SystemdMachineTest(unittest.TestCase):
    def test_the_checks_pass(self):
        if os.geteuid() != 0:
            self.skipTest("not root: mmdebstrap")
        booted = boot()
        self.assertIn("checks", booted.jobs, booted.problem + booted.console[-4000:])
        said = booted.jobs["checks"].output
        print(said, flush=True)
        self.assertTrue(booted.finished, booted.problem)
        results = dict(RESULT.findall(said))
        self.assertGreater(len(results), 5)
        self.assertEqual(set(results.values()), {"ok"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
