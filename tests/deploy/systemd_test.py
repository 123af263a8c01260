#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/systemd: the units are valid, and as closed as they claim."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PAGEWARDEN_BUILD", ROOT / "build"))
SOURCE = ROOT / "deploy" / "systemd"
SERVICES = ["pagewarden-agent.service", "pagewarden-textfile.service"]
UNITS = SERVICES + ["pagewarden-textfile.timer", "run-pagewarden.mount"]
THRESHOLD = 30  # of `systemd-analyze security`: an exposure of 3.0


def unit_text(name):
    """The unit as it is installed."""
    directory = BUILD / "deploy" if name in SERVICES else SOURCE
    return (directory / name).read_text(encoding="utf-8")


class StagedRoot(unittest.TestCase):
    """A root directory with the units, the host's own units and the programs they name."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="pagewarden-units-")
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        self.units = self.root / "etc/systemd/system"
        self.units.mkdir(parents=True)
        shutil.copytree("/lib/systemd/system", self.root / "lib/systemd/system", symlinks=True)
        self.add_program("/bin/kill")
        for name in UNITS:
            text = unit_text(name)
            (self.units / name).write_text(text, encoding="utf-8")
            for program in re.findall(r"^ExecStart=(\S+/pagewarden) ", text, re.M):
                self.add_program(program)

    def add_program(self, path):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2("/bin/true", file)

    def verify(self, *names):
        return subprocess.run(["systemd-analyze", "verify", f"--root={self.root}", "--man=no",
                               *names], capture_output=True, text=True, check=False)

    def complaints(self, *names):
        """What verify says of our units; the host's own are not ours to mend."""
        done = self.verify(*names)
        return [line for line in done.stderr.splitlines()
                if "pagewarden" in line or "nginx" in line] + (
                    [f"exit {done.returncode}: {done.stderr}"] if done.returncode else [])


class Verify(StagedRoot):
    def test_units_are_clean(self):
        self.assertEqual(self.complaints(*UNITS), [])

    def test_a_mistyped_setting_is_seen(self):
        unit = self.units / "pagewarden-agent.service"
        unit.write_text(unit.read_text().replace("ProtectClock=", "ProtectClok="))
        self.assertIn("ProtectClok", "\n".join(self.complaints(unit.name)))

    def test_drop_ins_are_clean_on_top_of_their_units(self):
        self.add_program("/usr/sbin/nginx")
        self.add_program("/usr/bin/pagewarden")
        (self.units / "nginx.service").write_text(
            "[Service]\nExecStart=/usr/sbin/nginx -g 'daemon off;'\n")
        (self.units / "nginx.service.d").mkdir()
        shutil.copy(BUILD / "deploy/nginx-pagewarden.conf",
                    self.units / "nginx.service.d/pagewarden.conf")
        listen = self.units / "pagewarden-agent.service.d"
        listen.mkdir()
        shutil.copy(SOURCE / "pagewarden-agent.service.d/listen.conf.example",
                    listen / "listen.conf")
        self.assertEqual(self.complaints("nginx.service", "pagewarden-agent.service"), [])


class Security(StagedRoot):
    def exposure(self, name):
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={THRESHOLD}",
             "--no-pager", str(self.units / name)], capture_output=True, text=True, check=False)
        (level,) = re.findall(r"Overall exposure level for \S+ ([\d.]+)", done.stdout)
        return done.returncode, float(level)

    def test_exposure_is_at_most_three(self):
        for name in SERVICES:
            with self.subTest(name):
                code, level = self.exposure(name)
                print(f"{name}: {level}")
                self.assertEqual(code, 0)
                self.assertLessEqual(level, THRESHOLD / 10)

    def test_it_is_the_hardening_that_counts(self):
        unit = self.units / "pagewarden-agent.service"
        unit.write_text(re.sub(r"^(Protect|Private|Restrict|SystemCall|Capab).*", "",
                               unit.read_text(), flags=re.M))
        self.assertNotEqual(self.exposure(unit.name)[0], 0)

    def test_images_outlive_the_agent_and_all_may_read_them(self):
        text = unit_text("pagewarden-agent.service")
        for line in ["RuntimeDirectoryPreserve=yes", "RuntimeDirectoryMode=0755", "UMask=0022"]:
            self.assertRegex(text, f"(?m)^{line}$")


class TmpFiles(unittest.TestCase):
    def test_directories_are_made(self):
        with tempfile.TemporaryDirectory() as root:
            shutil.copytree("/etc", f"{root}/etc", ignore=lambda _, names: [
                name for name in names if name not in ("passwd", "group")])
            subprocess.run(["systemd-tmpfiles", "--create", f"--root={root}",
                            str(SOURCE / "pagewarden.tmpfiles.conf")], check=True)
            for name in ["run/pagewarden", "run/pagewarden/policy.d", "etc/pagewarden/policy.d"]:
                self.assertEqual(os.stat(f"{root}/{name}").st_mode & 0o7777, 0o755)


if __name__ == "__main__":
    unittest.main(verbosity=2)
