#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whoever is woken by an alert types what its runbook says: each command must exist."""

import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PAGEWARDEN_BUILD", ROOT / "build"))
PAGES = [*sorted((ROOT / "docs" / "runbooks").glob("*.md")), ROOT / "docs" / "deploy.md"]


def help_of(*words):
    return subprocess.run([BUILD / "agent" / "pagewarden", *words, "--help"],
                          capture_output=True, text=True, check=True).stdout


def subcommands(*words):
    """Of a list, or of the lines of a usage."""
    listed = help_of(*words).partition("Subcommands:\n")[2]
    usage = "".join(f"{word} " for word in words)
    return set(re.findall(r"^  ([a-z]+)\b", listed, re.M)) | set(
        re.findall(rf"^  pagewarden {usage}([a-z]+)\b", help_of(*words), re.M))


def commands():
    """(page, words) of every command of ours, in blocks and between back quotes."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^pagewarden ([^#\n]+)|`pagewarden ([^`]+)`", text, re.M):
            for line in "".join(block).split(" && pagewarden "):
                yield page.name, line.split(" -- ")[0].split()


class Commands(unittest.TestCase):
    def test_subcommands_and_options_exist(self):
        top = subcommands()
        seen = 0
        for page, words in commands():
            path = [words[0]]
            self.assertIn(words[0], top, page)
            if words[0] in ("policy", "fleet"):
                path.append(words[1])
                self.assertIn(words[1], subcommands(words[0]), page)
            shown = help_of(*path)
            for option in filter(lambda word: word.startswith("--"), words):
                seen += 1
                self.assertRegex(shown, rf"{option.split('=')[0]}\b", f"{page}: {words}")
        self.assertGreater(seen, 40)


if __name__ == "__main__":
    unittest.main(verbosity=2)
