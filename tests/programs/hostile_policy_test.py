#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Files that are made to hurt: each gets a clear error, in less than 1 s of CPU and 64 MiB."""

import os
import pathlib
import re
import resource
import subprocess
import tempfile
import unittest

import harness
import pagewarden

MAX_SECONDS = 1.0
MAX_BYTES = 64 << 20
MAX_OUTPUT = 64 << 10
FILE_LIMIT = 1 << 20

HEAD = b"apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\nmetadata: {name: p}\nspec:\n"
FILL = FILE_LIMIT - 1024
LINE = (64 << 10) - 200


def repeat(unit, size=FILL):
    return unit * (size // len(unit))


def long(unit):
    """On one line that is just short enough."""
    return repeat(unit, LINE)


def laughs():
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x]\n"]
    for i in range(1, 12):
        names = b", ".join([b"*a%d" % (i - 1)] * 9)
        lines.append(b"a%d: &a%d [%s]\n" % (i, i, names))
    return b"".join(lines)


# name: (what makes the bytes, code that must be among the errors). Made one by one: the peak of a
# process counts from what its parent had at the fork.
HOSTILE = {
    "billion laughs": (lambda: laughs(), "PW-P005"),
    "billion laughs, merged": (lambda: b"a: &a {x: 1}\n" + repeat(b"b: {<<: *a}\n"), "PW-P005"),
    "10 MB of text": (lambda: repeat(b"spec: x\n", 10_000_000), "PW-P006"),
    "10 MB of zeros": (lambda: b"\0" * 10_000_000, "PW-P006"),
    "exactly too large": (lambda: HEAD + b"#" * (FILE_LIMIT + 1 - len(HEAD)), "PW-P006"),
    "deep flow lists": (lambda: HEAD + b"  rules: " + repeat(b"["), "PW-P006"),
    "deep flow lists, a line": (lambda: HEAD + b"  rules: " + long(b"["), "PW-P006"),
    "deep flow maps": (lambda: HEAD + b"  rules: " + repeat(b"{a: "), "PW-P006"),
    "deep flow maps, a line": (lambda: HEAD + b"  rules: " + long(b"{a: "), "PW-P006"),
    "deep block lists": (lambda: repeat(b"- "), "PW-P006"),
    "deep block lists, a line": (lambda: long(b"- "), "PW-P006"),
    "deep block maps": (lambda: b"".join(b" " * i + b"a:\n" for i in range(1400)), "PW-P006"),
    "deep complex keys": (lambda: repeat(b"? "), "PW-P006"),
    "deep complex keys, a line": (lambda: long(b"? "), "PW-P006"),
    "closed only": (lambda: HEAD + b"  rules: " + repeat(b"]"), "PW-P006"),
    "closed only, a line": (lambda: HEAD + b"  rules: " + long(b"]"), "PW-P004"),
    "NUL": (lambda: HEAD + b"  mode: Au\0dit\n", "PW-P003"),
    "NULs": (lambda: b"\0" * FILL, "PW-P003"),
    "escape sequences": (lambda: HEAD + b"  mode: \x1b[2J\x1b]0;owned\x07\n", "PW-P003"),
    "invalid UTF-8": (lambda: HEAD + b"  mode: \xff\xfe\n", "PW-P003"),
    "overlong UTF-8": (lambda: HEAD + b"  mode: \xc0\xaf\n", "PW-P003"),
    "surrogates": (lambda: HEAD + b"  mode: \xed\xa0\x80\n", "PW-P003"),
    "UTF-16": (lambda: (HEAD.decode() + "  mode: Audit\n").encode("utf-16"), "PW-P003"),
    "UTF-16 without a mark": (lambda: HEAD.decode().encode("utf-16-le"), "PW-P003"),
    "byte order mark alone": (lambda: b"\xef\xbb\xbf", "PW-P013"),
    "two byte order marks": (lambda: b"\xef\xbb\xbf\xef\xbb\xbf" + HEAD, "PW-P0"),
    "huge plain scalar": (lambda: HEAD + b"  mode: " + repeat(b"A"), "PW-P006"),
    "huge plain scalar, a line": (lambda: HEAD + b"  mode: " + long(b"A"), "PW-P014"),
    "huge quoted scalar": (lambda: HEAD + b'  mode: "' + repeat(b"A") + b'"\n', "PW-P006"),
    "huge quoted scalar, a line": (lambda: HEAD + b'  mode: "' + long(b"A") + b'"\n', "PW-P014"),
    "huge unclosed scalar": (lambda: HEAD + b'  mode: "' + repeat(b"A"), "PW-P006"),
    "huge unclosed scalar, a line": (lambda: HEAD + b'  mode: "' + long(b"A"), "PW-P004"),
    "huge block scalar": (lambda: HEAD + b"  mode: |\n" + repeat(b"    A\n"), "PW-P014"),
    "huge key": (lambda: HEAD + b"  " + repeat(b"k") + b": 1\n", "PW-P006"),
    "huge key, a line": (lambda: HEAD + b"  " + long(b"k") + b": 1\n", "PW-P004"),
    "huge quoted key": (lambda: HEAD + b'  "' + repeat(b"k") + b'": 1\n', "PW-P006"),
    "huge quoted key, a line": (lambda: HEAD + b'  "' + long(b"k") + b'": 1\n', "PW-P004"),
    "huge number": (lambda: HEAD + b"  priority: " + repeat(b"9") + b"\n", "PW-P006"),
    "huge number, a line": (lambda: HEAD + b"  priority: " + long(b"9") + b"\n", "PW-P016"),
    "huge quantity": (lambda: HEAD + b"  arenas: [{name: a, capacity: " + repeat(b"9") + b"Gi}]\n",
        "PW-P006"),
    "huge quantity, a line": (lambda: HEAD + b"  arenas: [{name: a, capacity: " + long(b"9") + b"Gi}]\n",
        "PW-P015"),
    "huge tag": (lambda: b"!" + repeat(b"t") + b" a\n", "PW-P006"),
    "huge tag, a line": (lambda: b"!" + long(b"t") + b" a\n", "PW-P00"),
    "huge anchor": (lambda: b"&" + repeat(b"a") + b" a\n", "PW-P006"),
    "huge anchor, a line": (lambda: b"&" + long(b"a") + b" a\n", "PW-P00"),
    "huge comment": (lambda: b"#" + repeat(b"c") + b"\n", "PW-P006"),
    "huge comment, a line": (lambda: b"#" + long(b"c") + b"\n", "PW-P013"),
    "spaces": (lambda: repeat(b" "), "PW-P006"),
    "spaces, a line": (lambda: long(b" "), "PW-P013"),
    "newlines": (lambda: repeat(b"\n"), "PW-P013"),
    "tabs": (lambda: repeat(b"\t"), "PW-P006"),
    "tabs, a line": (lambda: long(b"\t"), "PW-P0"),
    "many unknown keys": (lambda: HEAD + b"".join(b"  k%d: 1\n" % i for i in range(60_000)),
        "PW-P0"),
    "many near keys": (lambda: HEAD + b"".join(b"  mod%d: 1\n" % i for i in range(40_000)),
        "PW-P0"),
    "many equal keys": (lambda: HEAD + repeat(b"  mode: A\n"), "PW-P0"),
    "many list items": (lambda: HEAD + b"  rules: [" + repeat(b"a,") + b"]\n", "PW-P006"),
    "many list items, a line": (lambda: HEAD + b"  rules: [" + long(b"a,") + b"]\n", "PW-P01"),
    "many empty items": (lambda: HEAD + b"  rules: [" + repeat(b"[],") + b"]\n", "PW-P006"),
    "many empty items, a line": (lambda: HEAD + b"  rules: [" + long(b"[],") + b"]\n", "PW-P01"),
    "many lines of items": (lambda: HEAD + b"  rules:\n" + repeat(b"  - a\n"), "PW-P006"),
    "many rules": (lambda: HEAD + b"  rules:\n" + repeat(b"  - {}\n"), "PW-P0"),
    "many documents": (lambda: repeat(b"---\na\n"), "PW-P006"),
    "many empty documents": (lambda: repeat(b"---\n"), "PW-P0"),
    "many directives": (lambda: repeat(b"%TAG ! a\n"), "PW-P004"),
    "many bad patterns": (lambda: HEAD + b"  selector: {matchUnits: [" + repeat(b"a*,") + b"]}\n",
        "PW-P006"),
    "many bad patterns, a line": (lambda: HEAD + b"  selector: {matchUnits: [" + long(b"a*,") + b"]}\n",
        "PW-P0"),
    "colons": (lambda: repeat(b":"), "PW-P006"),
    "colons, a line": (lambda: long(b":"), "PW-P0"),
    "colons and spaces": (lambda: repeat(b": "), "PW-P006"),
    "colons and spaces, a line": (lambda: long(b": "), "PW-P0"),
    "key after key": (lambda: repeat(b"a: "), "PW-P006"),
    "key after key, a line": (lambda: long(b"a: "), "PW-P0"),
    "commas": (lambda: b"[" + repeat(b","), "PW-P006"),
    "commas, a line": (lambda: b"[" + long(b","), "PW-P0"),
    "quotes": (lambda: repeat(b"'"), "PW-P006"),
    "quotes, a line": (lambda: long(b"'"), "PW-P0"),
    "question marks in a list": (lambda: b"[" + repeat(b"?,") + b"]", "PW-P006"),
    "question marks in a list, a line": (lambda: b"[" + long(b"?,") + b"]", "PW-P0"),
    "one pair after another": (lambda: b"[" + repeat(b"a: b, ") + b"]", "PW-P006"),
    "one pair after another, a line": (lambda: b"[" + long(b"a: b, ") + b"]", "PW-P0"),
    "carriage returns": (lambda: repeat(b"\r"), "PW-P0"),
    "block scalars": (lambda: repeat(b"- |\n"), "PW-P0"),
}


class HostilePolicyTest(unittest.TestCase):

    def test_each_gets_a_clear_error_soon(self):
        worst = {"seconds": (0, ""), "bytes": (0, "")}
        with tempfile.TemporaryDirectory(prefix="pagewarden-hostile-") as directory:
            for name, (make, code) in HOSTILE.items():
                with self.subTest(name):
                    path = pathlib.Path(directory, "p.yaml")
                    path.write_bytes(make())
                    path.chmod(0o644)
                    seconds, size = self.lint(path, code)
                    worst["seconds"] = max(worst["seconds"], (seconds, name))
                    worst["bytes"] = max(worst["bytes"], (size, name))
        print(f"{len(HOSTILE)} files; at worst {worst['seconds'][0]:.2f} s of CPU "
              f"({worst['seconds'][1]}), {worst['bytes'][0] / 2**20:.1f} MiB "
              f"({worst['bytes'][1]})")

    def lint(self, path, code):
        """(seconds, bytes) that it took to refuse the file."""
        output = path.with_suffix(".err")
        with open(output, "wb") as errors:
            process = subprocess.Popen([str(pagewarden.PAGEWARDEN), "policy", "lint", str(path)],
                                       stdout=errors, stderr=errors, preexec_fn=limit_cpu)
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        text = output.read_bytes()
        self.assertEqual(process.returncode, 3, text[:300])
        self.assertLess(len(text), MAX_OUTPUT)
        text = text.decode("utf-8")
        self.assertRegex(text, f"(?m)^{re.escape(str(path))}(:\\d+:\\d+)?: error {code}")
        self.assertIsNone(re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text), "control characters")
        seconds = usage.ru_utime + usage.ru_stime
        self.assertLess(seconds, MAX_SECONDS)
        self.assertLess(usage.ru_maxrss * 1024, MAX_BYTES)
        return seconds, usage.ru_maxrss * 1024


def limit_cpu():
    """A file that it never finishes with fails the test, and does not hang it."""
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))


if __name__ == "__main__":
    harness.main()
