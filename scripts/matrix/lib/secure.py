# SPDX-License-Identifier: Apache-2.0
"""Set-uid programs, run by nobody: secure-execution mode (ld.so(8), AT_SECURE)."""

import os

from lib import cell

AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def make_setuid(program):
    """Makes `program` a set-uid root one."""
    cell.need_root()
    if os.statvfs(program).f_flag & os.ST_NOSUID:
        raise cell.Skip(f"{program.parent} is mounted nosuid")
    program.chmod(0o4755)
    return program
