# SPDX-License-Identifier: Apache-2.0
"""What the cells of the matrix share: a directory, a compiler, the shim, a verdict.

A cell is a script with a `check(lab)` that returns what was seen:

    from lib import cell

    def check(lab):
        probe = lab.compile("probe.c")
        lab.expect(lab.fenced([probe]), code=7, stdout="probe: fenced\\n")
        return "fenced"

    cell.main(check, __doc__)

It runs alone, after a build. Its last line is "<cell>: pass: <what was seen>",
or fail, or skip with the reason; its exit code is 0, 1 or 77.
"""

import contextlib
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("PAGEWARDEN_BUILD", ROOT / "build"))
PROGRAMS = ROOT / "tests" / "matrix"
CASES = ROOT / "tests" / "cases" / "shim"
PAGEWARDEN = BUILD / "agent" / "pagewarden"
SHIM = BUILD / "preload" / "libpagewarden.so"
POLICY = PROGRAMS / "matrix.yaml"

# The programs commit errors on purpose, and must call the allocator as written.
COMPILE_FLAGS = ["-O1", "-g", "-fno-builtin", "-w", "-D_GNU_SOURCE", f"-I{PROGRAMS}", f"-I{CASES}"]
SECONDS = 60


class Failure(Exception):
    """The shim, or the program under it, did not do what the cell asks."""


class Skip(Exception):
    """This machine lacks something; says what."""


def need(condition, what):
    """Fails the cell with `what` unless `condition` holds."""
    if not condition:
        raise Failure(what)


def need_root():
    if os.geteuid() != 0:
        raise Skip("not root")


def run(command, **options):
    """Runs a command of the set-up; its failure is the cell's."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, **options)
    need(done.returncode == 0, f"{command[0]}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


class Lab:
    """A directory that every user may enter, gone afterwards, and the shim."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        # meson's perturbation is not what programs meet in the field.
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("LD_", "PAGEWARDEN_", "MALLOC_"))}
        self.policy = POLICY

    def compile(self, source, *flags, compiler="gcc", name=None, libcase=True):
        """The program made of tests/matrix/`source`, linked with libcase.so."""
        program = self.directory / (name or pathlib.Path(source).stem)
        library = [self.libcase(compiler, flags), f"-Wl,-rpath,{self.directory}"] if libcase else []
        run([*shlex.split(compiler), *COMPILE_FLAGS, "-o", program, PROGRAMS / source, *library,
             *flags, "-pthread"])
        return program

    def libcase(self, compiler="gcc", flags=()):
        """libcase.so, which exports the functions that the policy names."""
        library = self.directory / "libcase.so"
        if not library.exists():
            sysroot = [flag for flag in flags if flag.startswith(("--sysroot", "-B"))]
            self.plugin(CASES / "libcase.c", *sysroot, compiler=compiler.replace("g++", "gcc"))
        return library

    def plugin(self, source, *flags, compiler="gcc"):
        """A shared object made of tests/matrix/`source`."""
        source = PROGRAMS / source
        library = self.directory / f"{source.stem}.so"
        run([*shlex.split(compiler), *COMPILE_FLAGS, "-shared", "-fPIC", "-o", library, source,
             *flags])
        return library

    def under_shim(self, command):
        """The command line that runs `command` under the shim and the policy."""
        return [str(PAGEWARDEN), "run", "--policy", str(self.policy), "--", *map(str, command)]

    @staticmethod
    def after(library, command):
        """`command` with `library` put before whatever is preloaded already."""
        return ["/bin/sh", "-c", 'LD_PRELOAD=$0:$LD_PRELOAD exec "$@"', library, *command]

    def plain(self, command, **options):
        """Runs `command` and waits."""
        self._show(command)
        options.setdefault("env", self.environment)
        return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              timeout=SECONDS, check=False, **options)

    def fenced(self, command, **options):
        """Runs `command` under the shim and waits."""
        return self.plain(self.under_shim(command), **options)

    @contextlib.contextmanager
    def started(self, command, **options):
        """A running `command`, stdin and stdout are pipes; ended by its pid if need be."""
        self._show(command)
        options.setdefault("env", self.environment)
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   **options)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                pipe.close()

    def finish(self, process, code, stdout=None, stderr="", said="\n"):
        """Lets a started program go on after its hold(), and expects its end."""
        out, errors = process.communicate(said, timeout=SECONDS)
        self.expect(subprocess.CompletedProcess(process.args, process.returncode, out, errors),
                    code, stdout, stderr)
        return errors

    def expect(self, done, code, stdout=None, stderr=""):
        """Fails unless `done` ended as said; None: whatever it printed."""
        ending = signal.Signals(-done.returncode).name if done.returncode < 0 else done.returncode
        said = (done.stderr or done.stdout).strip()
        need(done.returncode == code, f"it ended with {ending}, not {code}: {said}")
        need(stdout is None or done.stdout == stdout, f"stdout is {done.stdout!r}, not {stdout!r}")
        need(stderr is None or done.stderr == stderr, f"stderr is {done.stderr!r}, not {stderr!r}")

    def expect_core(self, command, **options):
        """The core check of core_check.h holds under the shim: fenced throughout."""
        self.expect(self.fenced(command, **options), code=7, stdout="core: fenced\n")

    def shim(self, pid):
        """What `audit --json` says of the shim in `pid`; None: not loaded."""
        report = json.loads(self._audit(pid))
        rows = [row for group in report["cgroups"] for row in group["processes"]]
        need(rows and rows[0]["pid"] == pid, f"audit does not show process {pid}")
        return rows[0].get("shim")

    def shim_when_ready(self, process):
        """The same, once the program has printed the line "ready"."""
        line = process.stdout.readline()
        if line != "ready\n":
            _, errors = process.communicate()
            raise Failure(f"it printed {line!r} instead of ready: {errors.strip()}")
        return self.shim(process.pid)

    def _audit(self, pid):
        done = subprocess.run([str(PAGEWARDEN), "audit", "--json", "--pid", str(pid)],
                              capture_output=True, text=True, check=False)
        need(done.stdout, f"audit of {pid}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def _show(self, command):
        words = shlex.join(str(word) for word in command)
        for path, name in ((str(self.directory) + "/", ""), (str(BUILD), "build"),
                           (str(ROOT) + "/", "")):
            words = words.replace(path, name)
        print(f"$ {words}", flush=True)


def need_active(shim, live=None):
    """The shim holds its policy, locked in full, and `live` blocks."""
    need(shim is not None, "the shim is not loaded")
    need("uncovered" not in shim, f"uncovered: {shim.get('uncovered')}")
    need(shim["mode"] == "Enforce" and shim["arenas"], f"no arena is active: {shim}")
    for arena in shim["arenas"]:
        need(arena["lockedBytes"] == arena["capacityBytes"], f"not all is locked: {arena}")
    held = sum(arena["liveAllocations"] for arena in shim["arenas"])
    need(live is None or held == live, f"{held} live allocations, not {live}")


def need_uncovered(shim, reason):
    """The shim is loaded and says itself why it covers nothing."""
    need(shim is not None, "the shim is not loaded")
    need(shim.get("uncovered") == reason, f"uncovered is {shim.get('uncovered')}, not {reason}")


def children(pid):
    """The children of a process that has one thread."""
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


def judge(check):
    """(exit code, "pass|skip|fail: what was seen") of `check`."""
    for part in (PAGEWARDEN, SHIM):
        if not part.exists():
            return 1, f"fail: {part.name} is not built"
    with tempfile.TemporaryDirectory(prefix="pagewarden-matrix-") as directory:
        os.chmod(directory, 0o755)
        try:
            return 0, f"pass: {check(Lab(directory))}"
        except Skip as reason:
            return 77, f"skip: {reason}"
        except Failure as failure:
            print(failure, flush=True)
            return 1, f"fail: {str(failure).splitlines()[0]}"
        except subprocess.TimeoutExpired as hang:
            return 1, f"fail: still running after {hang.timeout:.0f} s"
        except (OSError, LookupError, ValueError) as surprise:
            traceback.print_exc()
            return 1, f"fail: {surprise!r}"


def main(check, description):
    """Says what the cell shows, runs it, and ends with its verdict."""
    print(description.strip(), flush=True)
    os.umask(0o022)
    code, verdict = judge(check)
    print(f"{pathlib.Path(sys.argv[0]).name}: {verdict}")
    sys.exit(code)


def program_in_path(name):
    """Where `name` is installed; skips the cell if nowhere."""
    path = shutil.which(name)
    if path is None:
        raise Skip(f"{name} is not installed")
    return path
