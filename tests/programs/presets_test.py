#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every function that a shipped preset names is exported by a library that it names."""

import pathlib
import re
import unittest

import harness

PRESETS = sorted((harness.ROOT / "policies" / "presets").glob("*.yaml"))
LIBRARIES = pathlib.Path("/usr/lib/x86_64-linux-gnu")


def items(preset, key):
    """The list under `key`, whose items stand on lines of their own or in brackets."""
    text = re.sub(r"#.*", "", preset.read_text(encoding="utf-8"))
    block = re.search(rf"^  {key}:(.*\n(?:    .*\n|\s*\n)*)", text, re.M)
    return re.findall(r"[^\s,\[\]]+", re.sub(r"^    - ", "", block.group(1), flags=re.M))


def exports(library):
    """The functions that a library offers to others, without their versions."""
    lines = harness.run_checked(["nm", "-D", "--defined-only", library]).splitlines()
    return {name.split("@")[0] for _, kind, name in map(str.split, lines) if kind in "TWi"}


class PresetsTest(unittest.TestCase):
    def test_there_are_some(self):
        self.assertTrue(PRESETS)

    def assert_exported(self, preset):
        found = [path for name in items(preset, "libraries") for path in LIBRARIES.glob(name)]
        if not found:
            self.skipTest(f"not on this machine: the libraries of {preset.name}")
        offered = set().union(*map(exports, found))
        functions = items(preset, "during")
        self.assertTrue(functions)
        self.assertEqual([name for name in functions if name not in offered], [])
        self.assertEqual(len(functions), len(set(functions)))


def make_test(preset):
    return lambda self: self.assert_exported(preset)


for _preset in PRESETS:
    setattr(PresetsTest, f"test_{_preset.stem.replace('-', '_')}", make_test(_preset))


if __name__ == "__main__":
    harness.main()
