# SPDX-License-Identifier: Apache-2.0
"""One boot of a kernel in an emulated machine, and what its jobs said.

Emulated by TCG on one processor: it needs no /dev/kvm, and a kernel that patches
its own text for a trampoline cannot be met there by a second processor, which
TCG does not get right.
"""

import dataclasses
import re
import subprocess

MEMORY_MIB = 1024
BOOT_SECONDS = 60  # some 6 when the machine is idle
COMMAND_LINE = ("console=ttyS0 panic=-1 quiet no_timer_check mitigations=off secretmem.enable=1 "
                "lsm=lockdown,yama,integrity,apparmor,bpf rdinit={init} "
                "PAGEWARDEN_CGROUPS={cgroups}")
JOB = re.compile(
    r"^@@ begin (?P<name>\S+)\n(?P<output>.*?)(?:\n@@ end (?P=name) (?P<status>\d+) (?P<ms>\d+)$"
    r"|(?=^@@ begin )|\Z)", re.M | re.S)
PANIC = re.compile(r"^.*(?:Kernel panic|Oops|BUG:|Unable to handle).*$", re.M)


@dataclasses.dataclass(frozen=True)
class JobResult:
    output: str
    status: int | None  # None: the guest ended before the job did
    seconds: float


@dataclasses.dataclass(frozen=True)
class Boot:
    jobs: dict  # name → JobResult
    finished: bool  # the guest said that it was through
    console: str  # what the kernel said
    problem: str  # why it is not finished

    def panic(self):
        found = PANIC.search(self.console)
        return found.group(0).strip() if found else ""


def jobs_of(text):
    """What the guest told over its second port."""
    text = text.replace("\r\n", "\n")
    return {found["name"]: JobResult(found["output"],
                                     int(found["status"]) if found["status"] else None,
                                     int(found["ms"] or 0) / 1000)
            for found in JOB.finditer(text)}


def _command(image, initramfs, directory, cgroups, init, memory_mib):
    return ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "1",
            "-m", str(memory_mib), "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none", "-serial", f"file:{directory}/console.log",
            "-serial", f"file:{directory}/jobs.log", "-kernel", str(image),
            "-initrd", str(initramfs), "-append", COMMAND_LINE.format(cgroups=cgroups, init=init)]


def _text(path):
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def boot(image, initramfs, directory, cgroups, job_seconds, init="/init", memory_mib=MEMORY_MIB):
    """Boots `image`, waits for its jobs `job_seconds` at most; ends it by its pid."""
    directory.mkdir(parents=True, exist_ok=True)
    problem = ""
    with subprocess.Popen(_command(image, initramfs, directory, cgroups, init, memory_mib),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as emulator:
        try:
            said, _ = emulator.communicate(timeout=BOOT_SECONDS + job_seconds)
            problem = said.strip() or "it ended early"
        except subprocess.TimeoutExpired:
            problem = f"still running after {BOOT_SECONDS + job_seconds} s"
        finally:
            emulator.kill()
    port = _text(directory / "jobs.log")
    finished = port.rstrip().endswith("@@ done")
    return Boot(jobs_of(port), finished, _text(directory / "console.log"),
                "" if finished else problem)
