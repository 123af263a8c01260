# SPDX-License-Identifier: Apache-2.0
"""The `pagewarden` commands that the programme tests and the demo use."""

import json
import subprocess

import harness

PAGEWARDEN = harness.BUILD / "agent" / "pagewarden"
TOOLS = harness.BUILD / "tests" / "tools"


def run_command(policy, command):
    """The command that starts `command` under `policy`."""
    return [str(PAGEWARDEN), "run", "--policy", str(policy), "--", *command]


def verify_command(cgroup, secrets):
    """The command that asks for every copy of `secrets` in `cgroup`."""
    words = [word for secret in secrets for word in secret.arguments()]
    return [str(PAGEWARDEN), "verify", "--cgroup", cgroup.path, *words]


def verify(cgroup, secrets):
    """(exit code, JSON) of `verify`; exit 0: all fenced, 1: some not, 5: none found."""
    command = [*verify_command(cgroup, secrets), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 5):
        raise harness.HarnessError(f"verify : exit {done.returncode}: {done.stderr.strip()}")
    return done.returncode, json.loads(done.stdout)


def audit_command(cgroup):
    """The command that shows the audit's row of `cgroup`."""
    return [str(PAGEWARDEN), "audit", "--cgroup", cgroup.path]


def audit(cgroup):
    """The entry of `cgroup` in `audit --json`."""
    report = json.loads(harness.run_checked([*audit_command(cgroup), "--json"]))
    for entry in report["cgroups"]:
        if entry["path"] == cgroup.path:
            return entry
    raise harness.HarnessError(f"audit does not show cgroup {cgroup.path}")
