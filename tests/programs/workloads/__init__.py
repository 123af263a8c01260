# SPDX-License-Identifier: Apache-2.0
"""Real programs that complete real work with every allocation in the fence.

ALL is the list; runner.compare() runs one of them plain and fenced.
"""

from . import gcc
from .git import Git
from .java import Java
from .node import Node
from .perl import Perl
from .postgres import Postgres
from .python_tests import PythonTests
from .redis import Redis
from .sqlite import Sqlite
from .sshd import Sshd
from .web import Web

ALL = (
    PythonTests("test_json", "test_dict", "test_bytes", fast=True, runs=3),
    PythonTests("test_threading", "test_subprocess", "test_pickle", "test_re", "test_unicode",
                fast=False, runs=1),
    Perl(),
    Perl(user="nobody"),
    Git(),
    Sqlite(),
    gcc.C,
    gcc.CXX,
    Node(),
    Java(),
    Redis(requests=20_000, snapshots=False, fast=True),
    Redis(requests=20_000, snapshots=True, fast=False),
    Postgres(scale=2, transactions=2000),
    Web(),
    Sshd(),
)
