#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is installed is enough to build with: header, library, pkg-config file.

    install_test.py MESON BUILD
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = """\
#include <pagewarden.h>
#include <stdio.h>
int main(void) {
  void* block = pagewarden_present() ? pagewarden_alloc(NULL, 64) : NULL;
  puts(block != NULL && pagewarden_is_locked(block) ? "locked" : "absent");
  return 0;
}
"""
MESON, BUILD = sys.argv[1:3]


def output_of(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} : exit {done.returncode}: {done.stderr}")
    return done.stdout


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="pagewarden-install-")
        cls.addClassCleanup(scratch.cleanup)
        cls.root = pathlib.Path(scratch.name)
        output_of([MESON, "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.root])
        cls.package = next(cls.root.rglob("pagewarden.pc"))
        (cls.root / "program.c").write_text(PROGRAM, encoding="ascii")

    def pkg_config(self, what):
        environment = {**os.environ, "PKG_CONFIG_PATH": str(self.package.parent),
                       "PKG_CONFIG_SYSROOT_DIR": str(self.root)}
        return output_of(["pkg-config", what, "pagewarden"], env=environment).split()

    def said_by(self, compiler, *flags, libraries=()):
        """What the program prints when it is built so."""
        program = self.root / "program"
        output_of([compiler, *self.pkg_config("--cflags"), *flags, "-o", program,
                   self.root / "program.c", *libraries])
        environment = {name: value for name, value in os.environ.items() if name[:3] != "LD_"}
        environment["LD_LIBRARY_PATH"] = str(self.package.parents[1])
        return output_of([program], env=environment).strip()

    def test_linked_in_every_form_of_executable(self):
        libraries = self.pkg_config("--libs")
        for compiler in ("gcc", "clang"):
            for flags in ([], ["-Wl,--as-needed"], ["-O2", "-fno-pie", "-no-pie"]):
                with self.subTest(compiler=compiler, flags=flags):
                    self.assertEqual(self.said_by(compiler, *flags, libraries=libraries), "locked")

    def test_name_alone_does_not_suffice_under_as_needed(self):
        directory = f"-L{self.package.parents[1]}"
        self.assertEqual(
            self.said_by("gcc", "-Wl,--as-needed", libraries=[directory, "-lpagewarden"]), "absent")

    def test_not_linked(self):
        self.assertEqual(self.said_by("gcc"), "absent")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
