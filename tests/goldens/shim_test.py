#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What makes libpagewarden.so one file for every libc, held to the letter.

    tests/goldens/shim_test.py LIBRARY [--update]

--update rewrites the golden files from LIBRARY; read the difference before
you commit it."""

import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
LIBRARY = ""
MAX_TLS_BYTES = 256


def readelf(*options):
    return subprocess.run(["readelf", "-W", *options, LIBRARY], capture_output=True, text=True,
                          check=True, env={"LC_ALL": "C"}).stdout


def symbols():
    """(name, binding, section) of every dynamic symbol."""
    for line in readelf("--dyn-syms").splitlines():
        fields = line.split()
        if len(fields) >= 8 and fields[0].rstrip(":").isdigit():
            yield fields[7], fields[4], fields[6]


def dynamic_tags():
    """Tags in order; values only where they are not addresses or sizes."""
    for line in readelf("-d").splitlines():
        match = re.match(r"\s*0x[0-9a-f]+ \((\w+)\)\s+(.*)", line)
        if match:
            keeps_value = match[1] in ("SONAME", "NEEDED", "FLAGS", "FLAGS_1")
            yield f"{match[1]} {match[2].strip()}" if keeps_value else match[1]


GOLDENS = {
    "dynamic.txt": lambda: list(dynamic_tags()),
    "imports.txt": lambda: sorted(f"{name} {binding}" for name, binding, section in symbols()
                                  if section == "UND"),
    "exports.txt": lambda: sorted(name for name, _, section in symbols() if section != "UND"),
    "notes.txt": lambda: re.findall(r"x86 feature: .*", readelf("-n")),
}


class ShimTest(unittest.TestCase):
    maxDiff = None

    def test_goldens(self):
        for name, now in GOLDENS.items():
            with self.subTest(name):
                golden = (HERE / name).read_text(encoding="utf-8").splitlines()
                self.assertEqual(now(), golden)

    def test_needs_no_library_and_no_version(self):
        tags = {tag.split()[0] for tag in dynamic_tags()}
        self.assertFalse(tags & {"NEEDED", "VERNEED", "VERNEEDNUM", "VERSYM", "VERDEF", "RELR"})

    def test_imports_are_weak(self):
        self.assertEqual([name for name, binding, section in symbols()
                          if section == "UND" and binding != "WEAK"], [])

    def test_thread_local_storage_is_small(self):
        sizes = [int(line.split()[5], 16) for line in readelf("-l").splitlines()
                 if line.split()[:1] == ["TLS"]]
        self.assertEqual(len(sizes), 1)
        self.assertLessEqual(sizes[0], MAX_TLS_BYTES)

    def test_one_constructor_and_no_destructor(self):
        tags = [tag.split()[0] for tag in dynamic_tags()]
        self.assertIn("8 (bytes)", re.search(r"INIT_ARRAYSZ\)\s+(.*)", readelf("-d"))[1])
        self.assertNotIn("FINI_ARRAY", tags)

    def test_no_vector_register_takes_data(self):
        """They are zeroed, and zeros are stored from them; nothing else."""
        text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", LIBRARY],
                              capture_output=True, text=True, check=True).stdout
        uses = [line.split("\t", 1)[1].strip() for line in text.splitlines()
                if re.search(r"%[xyz]mm\d", line)]
        zeroes = re.compile(r"v?pxorq?\s+(%[xyz]mm\d+)(,\1)+$")
        stores_zeros = re.compile(r"movaps\s+%xmm0,-?0x[0-9a-f]+\(")
        others = [use for use in uses if not zeroes.match(use) and not stores_zeros.match(use)]
        self.assertEqual(others, [])
        self.assertIn("vpxor  %xmm0,%xmm0,%xmm0", uses)


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    if "--update" in sys.argv:
        for file, content in GOLDENS.items():
            (HERE / file).write_text("\n".join(content()) + "\n", encoding="utf-8")
        sys.exit(0)
    unittest.main()
