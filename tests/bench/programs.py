# SPDX-License-Identifier: Apache-2.0
"""Starts the benchmark's programs, under the shim where asked, and reads their figures."""

import atexit
import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PAGEWARDEN_BUILD", ROOT / "build"))
PAGEWARDEN = BUILD / "agent" / "pagewarden"
POLICIES = ROOT / "tests" / "bench" / "policies"
LIVE = "live:"  # before a policy's name: as an image that the program follows
SET_BY_RUN = ("LD_PRELOAD", "LD_BIND_NOW", "PAGEWARDEN_IMAGE")


def program(name):
    return str(BUILD / "tests" / "bench" / name)


def plain_environment():
    """The runner's, without what changes the C library's malloc (meson sets it)."""
    return {name: value for name, value in os.environ.items() if name != "MALLOC_PERTURB_"}


def run_checked(command, env, accept=(0,)):
    """Its standard output; what it said on the other one is shown when it fails."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode not in accept:
        raise RuntimeError(f"{' '.join(command)} : exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def live_variables(policy):
    """What the unit of a program would set that is to follow what is published later."""
    folder = tempfile.mkdtemp(prefix="pagewarden-bench-")
    atexit.register(shutil.rmtree, folder)
    lines = run_checked([str(PAGEWARDEN), "policy", "compile", str(POLICIES / f"{policy}.yaml"),
                         "-o", folder, "--live"], plain_environment())
    return dict(line.split("=", 1) for line in lines.splitlines())


@functools.lru_cache(maxsize=None)
def shim_variables(policy=None):
    """What `pagewarden run` sets; without `policy`, what it sets by default for /usr/bin/env."""
    if policy and policy.startswith(LIVE):
        return live_variables(policy.removeprefix(LIVE))
    chosen = ["--policy", str(POLICIES / f"{policy}.yaml")] if policy else []
    command = [str(PAGEWARDEN), "run", *chosen, "--", "/usr/bin/env", "-0"]
    listed = run_checked(command, plain_environment()).split("\0")
    variables = dict(line.split("=", 1) for line in listed if line)
    return {name: variables[name] for name in SET_BY_RUN}


def environment(policy):
    """The environment of a program under `policy`, or of one without the shim."""
    return plain_environment() | (shim_variables(policy) if policy else {})


def output(command, policy=None):
    return run_checked(command, environment(policy))


def parse(text):
    """`name<TAB>value` lines as a dictionary; numbers where they are numbers."""
    pairs = (line.split("\t") for line in text.splitlines())
    return {name: value if value.isalpha() else float(value) for name, value in pairs}


def figures(command, policy=None):
    return parse(output(command, policy))


def fallbacks(pid):
    """How many allocations of the process its ledger counts as not fenced."""
    partial = 4  # some other process could not be read
    report = run_checked([str(PAGEWARDEN), "audit", "--json"], plain_environment(), (0, partial))
    for cgroup in json.loads(report)["cgroups"]:
        for process in cgroup["processes"]:
            if process["pid"] == pid and "shim" in process:
                return sum(arena["fallbacks"] for arena in process["shim"]["arenas"])
    raise RuntimeError(f"audit shows no shim in process {pid}")


def held_figures(command, policy=None, variables=None):
    """The figures of a worker that then waits, and `counted`: what its ledger says."""
    env = variables if variables is not None else environment(policy)
    with subprocess.Popen(command, env=env, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as worker:
        lines = []
        for line in worker.stdout:
            lines.append(line)
            if line.startswith("mappings\t"):  # its last one
                break
        result = parse("".join(lines))
        result["counted"] = fallbacks(worker.pid) if policy else 0
        worker.stdin.close()
    if worker.returncode != 0 or "mappings" not in result:
        raise RuntimeError(f"{command} : exit {worker.returncode}")
    return result
