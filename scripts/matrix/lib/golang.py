# SPDX-License-Identifier: Apache-2.0
"""Programs in Go."""

from lib import cell


def compile(lab, source, *flags, **environment):
    """The program made of tests/matrix/go/`source`; the cache outlives the cell."""
    program = lab.directory / source.removesuffix(".go")
    settings = {"GOCACHE": str(cell.BUILD / "matrix" / "go"), "GOPATH": str(lab.directory),
                "GO111MODULE": "off", "GOFLAGS": "-p=2", "GOTOOLCHAIN": "local"}
    cell.run([cell.program_in_path("go"), "build", *flags, "-o", program,
              cell.PROGRAMS / "go" / source], env=lab.environment | settings | environment)
    return program
