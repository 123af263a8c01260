# SPDX-License-Identifier: Apache-2.0
"""Starts programs in the states that `pagewarden doctor` knows, and applies the fixes it prints."""

import contextlib
import json
import pathlib
import re
import shutil
import subprocess

import harness
import pagewarden

TARGET = harness.BUILD / "tests" / "programs" / "doctor-target"
STATIC_TARGET = harness.BUILD / "tests" / "programs" / "doctor-target-static"
NO_IPC_LOCK = ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"]
SOME_USER = 12345
AS_USER = ["setpriv", f"--reuid={SOME_USER}", f"--regid={SOME_USER}", "--clear-groups"]
FIX_LINE = re.compile(r"^ +\$ (.*)$", re.M)


def words(command):
    return [str(word) for word in command]


class Target:
    """A running doctor-target, started by the words of `prefix`."""

    def __init__(self, prefix=(), program=TARGET, **options):
        self.process = subprocess.Popen(words([*prefix, program]), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, **options)
        if self.process.stdout.readline() != "ready\n":
            raise harness.HarnessError(f"{program} did not start")

    @property
    def pid(self):
        return self.process.pid

    def ask(self, word, number=0):
        self.process.stdin.write(f"{word} {number}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Diagnosis:
    """What one run of the doctor said."""

    def __init__(self, arguments, prefix=()):
        command = words([*prefix, pagewarden.PAGEWARDEN, "doctor", *arguments])
        self.text = subprocess.run(command, capture_output=True, text=True, timeout=60,
                                   check=False)
        split = command.index("doctor") + 1
        done = subprocess.run([*command[:split], "--json", *command[split:]], capture_output=True,
                              text=True, timeout=60, check=False)
        if not done.stdout.startswith("{"):
            raise harness.HarnessError(f"doctor : exit {done.returncode}: {done.stderr.strip()}")
        self.exit_code = done.returncode
        self.report = json.loads(done.stdout)

    @property
    def codes(self):
        return [finding["code"] for finding in self.report["findings"]]

    def finding(self, code):
        return next(f for f in self.report["findings"] if f["code"] == code)

    def commands(self, code):
        """The shell commands of a code's fixes, from the text that people read."""
        block = next(b for b in self.text.stdout.split("\n\n") if b.startswith(code))
        return FIX_LINE.findall(block)

    def files(self, code):
        """(path, text) of the files that a code's fixes write."""
        return [(fix["file"], fix["content"]) for fix in self.finding(code)["fixes"]
                if "file" in fix]


def run_shell(line, **options):
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60,
                          check=False, **options)


def tell(command_line, *lines, **options):
    """Starts a target by a shell's command line; its answers to `lines`."""
    done = run_shell(command_line, input="".join(f"{line}\n" for line in lines), **options)
    return done.stdout.splitlines()[1:]


def image(directory, **files):
    """An unpacked image with these unit files: {name of the file: text}."""
    units = pathlib.Path(directory) / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    for name, text in files.items():
        (units / name).write_text(text, encoding="ascii")
    program = pathlib.Path(directory) / "usr" / "bin" / "target"
    program.parent.mkdir(parents=True)
    shutil.copy(TARGET, program)


def write(path, text):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
