# SPDX-License-Identifier: Apache-2.0
"""The rule files of deploy/prometheus, as they are and for tests that cannot wait."""

import pathlib
import re

import yaml

DIRECTORY = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
RECORDS = DIRECTORY / "pagewarden.rules.yaml"
ALERTS = DIRECTORY / "pagewarden.alerts.yaml"

_FOR = re.compile(r"^(\s+for:) \w+$", re.M)
_RANGE = re.compile(r"\[\d+[smhd]\]")
_OFFSET = re.compile(r"\boffset \d+[smhd]\b")
_AGE = re.compile(r"(time\(\) - \S+ >) \d+")


def load(path):
    """All rules of the file."""
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def quick(text, wait="2s", window="10s", age=30):
    """The same rules with waits, windows and ages (seconds) for a test of seconds.

    Thresholds, labels and annotations stay. Scrape and evaluate every second.
    """
    text = _FOR.sub(rf"\1 {wait}", text)
    text = _RANGE.sub(f"[{window}]", text)
    text = _OFFSET.sub(f"offset {window}", text)
    return _AGE.sub(rf"\1 {age}", text)


def write_quick(directory, **times):
    """Writes both files, quick, into `directory`; returns their paths for rule_files."""
    paths = []
    for source in (RECORDS, ALERTS):
        path = pathlib.Path(directory) / source.name
        path.write_text(quick(source.read_text(encoding="utf-8"), **times), encoding="utf-8")
        paths.append(path)
    return paths
