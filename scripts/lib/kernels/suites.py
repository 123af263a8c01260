# SPDX-License-Identifier: Apache-2.0
"""tests/kernels/suites.json: what is run in each guest, and the files it needs.

    {"files": ["/bin/sh", …],
     "suites": [{"name": "audit", "seconds": 60, "program": "{build}/tests/programs/x_test",
                 "arguments": [], "environment": {}, "files": [], "kind": "tests"}, …]}

{build} and {source} stand for the build and the source directory; an argument with
a * stands for the files that it matches, which are packed too; files may have one. A suite of the
kind "tests" (GoogleTest, unittest, or an exit code) gives a verdict; one of the
kind "facts" prints JSON objects, a line each, that become rows; one of the kind
"hooks" prints a report of the audit, whose hooks become rows. "by_hand": true keeps
it out of a run that names no suite; "absent": {"5.10": "why"} tells of kernels that
lack what the suite is about: it fails there, and the table gives the reason.
"""

import dataclasses
import glob
import json
import pathlib
import tempfile

from lib import cell

from kernels import initramfs

MANIFEST = cell.ROOT / "tests" / "kernels" / "suites.json"
INIT = "tests/kernels/init"
ACCOUNTS = {"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"
                           "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
            "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
            "/etc/hostname": "guest\n"}


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    program: str
    seconds: int = 60
    arguments: tuple = ()
    environment: dict = dataclasses.field(default_factory=dict)
    files: tuple = ()
    kind: str = "tests"
    by_hand: bool = False  # only when it is named
    absent: dict = dataclasses.field(default_factory=dict)  # kernel → why it cannot pass there

    def matched(self):
        """The files that arguments with a * stand for."""
        return [file for word in self.arguments if "*" in word for file in sorted(glob.glob(word))]

    def line(self):
        """The job as tests/kernels/init.cc reads it."""
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        plain = [word for word in self.arguments if "*" not in word]
        words = ["/usr/bin/env", *settings, self.program, *plain, *self.matched()]
        return "\t".join([self.name, str(self.seconds), *words]) + "\n"


def _expanded(value):
    if isinstance(value, str):
        return value.replace("{build}", str(cell.BUILD)).replace("{source}", str(cell.ROOT))
    if isinstance(value, list):
        return tuple(map(_expanded, value))
    if isinstance(value, dict):
        return {key: _expanded(each) for key, each in value.items()}
    return value


def load(manifest=MANIFEST):
    """(files for every suite, the suites)."""
    manifest = _expanded(json.loads(manifest.read_text(encoding="utf-8")))
    return manifest["files"], [Suite(**suite) for suite in manifest["suites"]]


def write_initramfs(path, files, chosen):
    """One archive that holds `chosen` suites with what they need."""
    archive = initramfs.Archive()
    archive.add("/init", (cell.BUILD / INIT).read_bytes(), 0o755)
    archive.add("/jobs", "".join(suite.line() for suite in chosen).encode())
    for name, text in ACCOUNTS.items():
        archive.add(name, text.encode())
    with tempfile.TemporaryDirectory(prefix="pagewarden-kernels-") as directory:
        needed = [*files, "/usr/bin/env"]
        for suite in chosen:
            needed += [suite.program, *suite.files, *suite.matched()]
        for name in needed:
            for file in sorted(glob.glob(name)) if "*" in name else [name]:
                archive.add_tree(file, pathlib.Path(directory))
    archive.write(path)


def chosen(known, names=()):
    """Those of `names`; without any, all that are not for the hand only."""
    return [suite for suite in known
            if (suite.name in names if names else not suite.by_hand)]
