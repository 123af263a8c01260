# SPDX-License-Identifier: Apache-2.0
"""What Debian's sshd needs to run outside of its service."""

import contextlib
import pathlib


@contextlib.contextmanager
def privilege_separation_directory():
    """/run/sshd, which only Debian's service makes."""
    path = pathlib.Path("/run/sshd")
    if path.exists():
        yield
        return
    path.mkdir(mode=0o755)
    try:
        yield
    finally:
        path.rmdir()
