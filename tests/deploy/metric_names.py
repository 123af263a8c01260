# SPDX-License-Identifier: Apache-2.0
"""Names of metrics: those that deploy/ uses, and those that the exporter has."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of Prometheus itself, of any of its clients, and of node_exporter's textfile collector.
FOREIGN = {"up", "process_start_time_seconds", "process_cpu_seconds_total",
           "process_resident_memory_bytes", "node_textfile_mtime_seconds"}
_NAME = re.compile(r"(?<![\w:])(?:pagewarden|process|node)_\w+(?![\w:]*:)|(?<![\w:])up\b")


def used(expression):
    """Names of series that are not our own records, without the suffixes of a histogram."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in _NAME.findall(expression)}


def documented():
    """What docs/metrics.md lists."""
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    return set(re.findall(r"\bpagewarden_[a-z0-9_]+\b", text))
