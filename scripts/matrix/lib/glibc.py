# SPDX-License-Identifier: Apache-2.0
"""What each glibc must show: the probe, bash, ls and python3 of its own suite."""

import os
import subprocess

from lib import cell, debian


class Host:
    """The programs and the loader of this machine."""

    compile_flags = ()
    cxx_flags = ("-lstdc++",)
    environment = {}

    @staticmethod
    def command(program, *arguments):
        return [program, *arguments]

    @staticmethod
    def version():
        return os.confstr("CS_GNU_LIBC_VERSION").split()[1]


class Suite:
    """Those of another Debian suite, run through that suite's ld.so."""

    packages = ("libc6-dev", "libstdc++6", "bash", "coreutils", "python3-minimal")

    def __init__(self, name):
        self.root = debian.unpacked(name, self.packages)
        libraries = [self.root / part / "x86_64-linux-gnu" for part in ("lib", "usr/lib")]
        self.loader = self.root / "lib64" / "ld-linux-x86-64.so.2"
        self.libraries = ":".join(map(str, libraries))
        self.compile_flags = (f"--sysroot={self.root}", f"-B{libraries[1]}/")
        # A suite without its compiler: this machine's headers, that suite's library.
        self.cxx_flags = (*(f"-isystem{path}" for path in cxx_headers()),
                          libraries[1] / "libstdc++.so.6",
                          next(self.root.rglob("libgcc_s.so.1")))
        self.environment = {"PYTHONHOME": str(self.root / "usr")}

    def command(self, program, *arguments):
        # `run` takes a loader for a static program, and warns: env is in between.
        inside = self.root / str(program).lstrip("/")
        return ["/usr/bin/env", self.loader.resolve(), "--library-path", self.libraries,
                inside if inside.exists() else program, *arguments]

    def version(self):
        libc = self.root / "lib" / "x86_64-linux-gnu" / "libc.so.6"
        return cell.run([self.loader, libc]).split("version ")[1].split(".\n")[0]


def cxx_headers():
    """The folders of libstdc++'s headers, as g++ itself looks them up."""
    done = subprocess.run(["g++", "-x", "c++", "-E", "-v", "/dev/null"], capture_output=True,
                          text=True, check=True)
    return [line.strip() for line in done.stderr.splitlines() if line.startswith(" /") and "/c++/" in line]


def check_bash(lab, libc):
    script = 'echo ready; read -r line; for i in {1..2000}; do x+="$i"; done; echo "${#x}"; exit 7'
    with lab.started(lab.under_shim(libc.command("/bin/bash", "-c", script))) as bash:
        cell.need_active(lab.shim_when_ready(bash))
        lab.finish(bash, 7, "6893\n")


def check_ls(lab, libc):
    command = libc.command("/bin/ls", "-la", "/usr/include")
    plain = lab.plain(command)
    lab.expect(lab.fenced(command), code=0, stdout=plain.stdout)
    cell.need(plain.stdout.count("\n") > 20, "ls shows nothing")


def check_python(lab, libc):
    script = ("import os; held = os.scandir('/'); print('ready', flush=True); input(); "
              "held.close(); print(sum(len(str(i)) for i in range(100000))); os._exit(7)")
    command = lab.under_shim(libc.command("/usr/bin/python3", "-Iuc", script))
    with lab.started(command, env=lab.environment | libc.environment) as python:
        cell.need_active(lab.shim_when_ready(python), live=1)
        lab.finish(python, 7, "488890\n")


def check(lab, libc):
    probe = lab.compile("probe.c", *libc.compile_flags)
    lab.expect_core(libc.command(probe))
    exceptions = lab.compile("unwinding.cc", *libc.compile_flags, *libc.cxx_flags)
    lab.expect_core(libc.command(exceptions))
    with lab.started(lab.under_shim(libc.command(probe, "hold"))) as held:
        cell.need_active(lab.shim_when_ready(held), live=1)
    check_bash(lab, libc)
    check_ls(lab, libc)
    check_python(lab, libc)
    return f"glibc {libc.version()}: probe, C++, bash, ls, python3 fenced"
