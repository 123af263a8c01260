# SPDX-License-Identifier: Apache-2.0
"""gcc and g++ compile real sources; the objects must be the same to the byte."""

import hashlib
import os

from .workload import Workload


_PROPER = "/usr/lib/gcc/x86_64-linux-gnu/12"  # the compilers behind the drivers


class Gcc(Workload):
    """Compiles with the driver; cc1 or cc1plus and as are its children."""

    def __init__(self, *, compiler, proper, flags, source, work, fast):
        self.name = compiler
        self.work = work
        self.fast = fast
        self.programs = (f"{_PROPER}/{proper}", f"/usr/bin/{compiler}", source)
        self._command = [compiler, *flags, "-c", source, "-o", "object.o"]

    def run(self, session, inputs):
        session.run(self._command, env={**os.environ, "TMPDIR": str(session.directory)})
        return hashlib.sha256((session.directory / "object.o").read_bytes()).hexdigest()


C = Gcc(compiler="gcc", proper="cc1", fast=True, work="-O2 of stb_vorbis, 5,600 lines",
        flags=["-O2", "-xc"], source="/usr/include/stb/stb_vorbis.h")
CXX = Gcc(compiler="g++", proper="cc1plus", fast=False, work="-O2 of GoogleTest, one unit",
          flags=["-O2", "-std=c++17", "-I/usr/src/googletest/googletest"],
          source="/usr/src/googletest/googletest/src/gtest-all.cc")
