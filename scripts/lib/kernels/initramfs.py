# SPDX-License-Identifier: Apache-2.0
"""An initramfs of files of this machine, each at the path that it has here.

So programs find in the guest what they were built to look for: their loader,
their libraries, their build directory. Format: cpio "newc", as the kernel's
Documentation/driver-api/early-userspace/buffer-format.rst has it.
"""

import os
import pathlib
import re
import stat
import subprocess

EMPTY_DIRECTORIES = ("dev", "proc", "root", "run", "sys", "tmp")
MERGED_DIRECTORIES = ("/bin", "/lib", "/lib64", "/sbin")
LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x")


def libraries(program):
    """What the loader maps for `program`; nothing for a static one or a script."""
    with open(program, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return []
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return LIBRARY.findall(done.stdout) if done.returncode == 0 else []


def stripped(path, directory):
    """The content of `path`, without what only a debugger reads."""
    with open(path, "rb") as file:
        content = file.read()
    if not content.startswith(b"\x7fELF") or b".debug_info" not in content:
        return content
    copy = directory / "stripped"
    subprocess.run(["objcopy", "--strip-debug", path, copy], check=True)
    return copy.read_bytes()


class Archive:
    """Entries in the order they were added; a directory before what is in it."""

    def __init__(self):
        self._chunks = []
        self._names = set()
        self._size = 0
        for name in EMPTY_DIRECTORIES:
            self._directory(name)
        for link in filter(pathlib.Path.is_symlink, map(pathlib.Path, MERGED_DIRECTORIES)):
            self.link(str(link), link.readlink())

    def _append(self, content):
        padded = content + b"\0" * (-len(content) % 4)
        self._chunks.append(padded)
        self._size += len(padded)

    def _entry(self, name, mode, content):
        links, inode = 1, len(self._names) + 1
        fields = (inode, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        header = "070701" + "".join(f"{field:08X}" for field in fields) + name + "\0"
        self._names.add(name)
        self._append(header.encode())
        self._append(content)

    def _directory(self, name):
        if name in ("", ".") or name in self._names:
            return
        self._directory(os.path.dirname(name))
        self._entry(name, stat.S_IFDIR | (0o1777 if name == "tmp" else 0o755), b"")

    def add(self, name, content, mode=0o644):
        """A file named `name`, with a leading slash."""
        name = name.lstrip("/")
        if name not in self._names:
            self._directory(os.path.dirname(name))
            self._entry(name, stat.S_IFREG | mode, content)

    def link(self, name, target):
        name = name.lstrip("/")
        if name not in self._names:
            self._directory(os.path.dirname(name))
            self._entry(name, stat.S_IFLNK | 0o777, str(target).encode())

    def add_file(self, path, directory):
        """`path` of this machine, through whatever links lead to it."""
        path = pathlib.Path(path)
        real = pathlib.Path(os.path.realpath(path))
        self.add(str(real), stripped(real, directory), real.stat().st_mode & 0o7777)
        if path.is_symlink():
            self.link(str(path.parent.resolve() / path.name), real)

    def add_tree(self, path, directory):
        """All files below `path`, or the file itself; programs with their libraries."""
        path = pathlib.Path(path)
        if not path.exists():
            raise FileNotFoundError(f"{path}: not built, or not installed")
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                self.add_program(file, directory)

    def add_program(self, path, directory):
        """`path` with the libraries that the loader maps for it."""
        for file in (path, *libraries(path)):
            self.add_file(file, directory)

    def write(self, path):
        """Ends the archive and writes it."""
        self._entry("TRAILER!!!", 0, b"")
        path.write_bytes(b"".join(self._chunks) + b"\0" * (-self._size % 512))
