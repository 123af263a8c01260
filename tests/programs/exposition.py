# SPDX-License-Identifier: Apache-2.0
"""Reads the text exposition, for the programme tests."""

import re
import subprocess

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def parse(text):
    """A list of (name, labels, value)."""
    samples = []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.match(line).groups()
        samples.append((name, dict(LABEL.findall(labels or "")), float(value)))
    return samples


def values(text, name, **labels):
    """Of the samples of `name` that have these labels."""
    return [value for found, its, value in parse(text)
            if found == name and labels.items() <= its.items()]


def cgroups(text):
    """The values of the label `cgroup`."""
    return {labels["cgroup"] for _, labels, _ in parse(text) if "cgroup" in labels}


def check(text):
    """What `promtool check metrics` says: (exit code, output)."""
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stdout + done.stderr
