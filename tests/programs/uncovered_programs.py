# SPDX-License-Identifier: Apache-2.0
"""Real processes of every kind that a policy selects and that may have no fence.

Made once, in a mount namespace whose /run is its own:

    programs = Programs(directory)
    programs.start_all()
    programs.processes["setuid"].pid
"""

import os
import pathlib
import re
import resource
import shutil
import subprocess

import harness
from pagewarden import PAGEWARDEN

SHIM = harness.BUILD / "preload" / "libpagewarden.so"
RUNTIME = pathlib.Path("/run/pagewarden")
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
SLEEPER = "#include <stdlib.h>\n#include <unistd.h>\nint main(void) {\n" \
          "  void* volatile p = malloc(100);\n  for (;;) pause();\n  free(p);\n}\n"
# No libc is needed: pause(2) for ever, of either class.
SLEEPER32 = 'void _start(void) { for (;;) __asm__ volatile("int $0x80" : : "a"(29)); }\n'
SLEEPER_BARE = 'void _start(void) { for (;;) __asm__ volatile("syscall" : : "a"(34) : "rcx", "r11",' \
               ' "memory"); }\n'
SLEEPER_GO = "package main\nimport \"time\"\nfunc main() { for { time.Sleep(time.Hour) } }\n"
# Another malloc, before the shim: never freed, which is enough for the sleeper.
OWN_MALLOC = """#include <stddef.h>
static char heap[1 << 20]; static size_t used;
void* malloc(size_t n) { void* p = heap + used; used += (n + 15) & ~(size_t)15; return p; }
void free(void* p) { (void)p; }
void* calloc(size_t a, size_t b) { return malloc(a * b); }
void* realloc(void* p, size_t n) { (void)p; return malloc(n); }
"""
NO_FORK_HANDLERS = "int __register_atfork(void) { return 12; }  /* ENOMEM */\n"
POLICY = """apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {{name: {name}}}
spec:
  selector: {{matchBinaries: [{binaries}]}}
  rules:
    - name: {rule}
      match: {{all: true}}
{more}"""
EXCEPTION = """  exceptions:
    - matchBinaries: [{binary}]
      reason: the test of exceptions
      expires: '2999-12-31'
"""
SECOND_ARENA = "  arenas:\n    - {name: default, capacity: 64Ki}\n    - {name: more, capacity: 1Mi}\n"
LARGE_ARENA = "  arenas:\n    - {name: default, capacity: 256Mi}\n"

# What becomes of each, by name: state, reason, words of the sentence.
OUTCOMES = {
    "covered": ("covered", "", []),
    "musl": ("covered", "", []),
    "static": ("uncovered", "static", ["static", "pagewarden doctor --pid"]),
    "static_pie": ("uncovered", "static", []),
    "static_go": ("uncovered", "static", ["Go"]),
    "libc": ("uncovered", "libc", ["other-loader.so"]),
    "wrong_class": ("uncovered", "wrong_class", ["32-bit"]),
    "setuid": ("uncovered", "secure_exec", ["setuid 0"]),
    "setgid": ("uncovered", "secure_exec", [f"setgid {NOBODY}"]),
    "file_capability": ("uncovered", "secure_exec", ["file capabilities"]),
    "started_before": ("uncovered", "started_before", ["pagewarden run --"]),
    "not_preloaded": ("uncovered", "not_preloaded", ["pagewarden run --"]),
    "not_there": ("uncovered", "not_loaded", ["is not there in its mount namespace"]),
    "noexec": ("uncovered", "not_loaded", ["lies on a mount that is noexec"]),
    "large_environment": ("uncovered", "not_loaded", ["is not there in its mount namespace"]),
    "disabled": ("uncovered", "disabled", ["PAGEWARDEN_DISABLED"]),
    "no_image": ("uncovered", "no_image", []),
    "image_untrusted": ("uncovered", "image_untrusted", []),
    "image_invalid": ("uncovered", "image_invalid", []),
    "no_policy": ("uncovered", "no_policy", ["pagewarden run --"]),
    "other_policy": ("uncovered", "other_policy", ["another"]),
    "shadowed": ("uncovered", "shadowed", []),
    "sanitizer": ("uncovered", "sanitizer", []),
    "no_next_allocator": ("uncovered", "no_next_allocator", ["pagewarden doctor --pid"]),
    "no_fork_handler": ("uncovered", "no_fork_handler", []),
    "no_reservation": ("uncovered", "no_reservation", ["RLIMIT_AS"]),
    "lock_failed": ("uncovered", "lock_failed", ["RLIMIT_MEMLOCK", "EPERM"]),
    "partly_locked": ("uncovered", "partly_locked", ["RLIMIT_MEMLOCK", "(64 KiB) of"]),
    "invalid_ledger": ("uncovered", "invalid_ledger", ["one version"]),
    "stale_policy": ("pending", "stale_policy", ["generation"]),
    "mode_differs": ("pending", "mode_differs", ["Audit", "Enforce"]),
    "needs_restart": ("pending", "needs_restart", ["rules"]),
}
EXCEPTED = "excepted"
# Programs of their own; the others are copies of the sleeper.
BUILT = ("static", "static_pie", "static_go", "libc", "wrong_class", "musl", "sanitizer",
         "no_next_allocator")


def large_stack():
    """Of its limit execve(2) lets arguments and environment take a quarter."""
    resource.setrlimit(resource.RLIMIT_STACK, (64 << 20, resource.RLIM_INFINITY))


class Programs:
    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.policies = RUNTIME / "policy.d"
        self.policies.mkdir(mode=0o755, parents=True)
        self.processes = {}
        self.names = [*OUTCOMES, EXCEPTED]
        self._build()

    def end_all(self):
        for process in self.processes.values():
            process.kill()
            process.wait()

    def compile(self, name, source, *flags):
        path = self.dir / f"{name}.c"
        path.write_text(source)
        subprocess.run(["gcc", "-O1", "-o", str(self.dir / name), str(path), *flags], check=True)

    def _build(self):
        self.compile("sleeper", SLEEPER)
        self.compile("static", SLEEPER, "-static")
        self.compile("static_pie", SLEEPER, "-static-pie")
        self.compile("wrong_class", SLEEPER32, "-m32", "-nostdlib", "-static")
        self.compile("no_next_allocator", SLEEPER_BARE, "-nostdlib", "-fPIC", "-pie",
                     "-Wl,--dynamic-linker=/lib64/ld-linux-x86-64.so.2")
        self.compile("sanitizer", SLEEPER, "-fsanitize=address")
        self.compile("own_malloc.so", OWN_MALLOC, "-shared", "-fPIC")
        self.compile("no_fork_handlers.so", NO_FORK_HANDLERS, "-shared", "-fPIC")
        loader = self.dir / "other-loader.so"
        shutil.copy(os.path.realpath("/lib64/ld-linux-x86-64.so.2"), loader)
        self.compile("libc", SLEEPER, f"-Wl,--dynamic-linker={loader}")
        subprocess.run(["musl-gcc", "-o", str(self.dir / "musl"), str(self.dir / "sleeper.c")],
                       check=True)
        source = self.dir / "main.go"
        source.write_text(SLEEPER_GO)
        environment = {**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off"}
        environment.setdefault("GOCACHE", str(self.dir / "go-cache"))
        subprocess.run(["go", "build", "-o", str(self.dir / "static_go"), str(source)], check=True,
                       env=environment)
        self._copy()

    def _copy(self):
        for name in self.names:
            if name not in BUILT:
                shutil.copy(self.dir / "sleeper", self.dir / name)
        os.chmod(self.dir / "setuid", 0o4755)
        os.chown(self.dir / "setgid", 0, NOBODY)
        os.chmod(self.dir / "setgid", 0o2755)
        subprocess.run(["setcap", "cap_net_raw+ep", str(self.dir / "file_capability")], check=True)

    def write(self, path, name="fence-all", rule="everything", more="", binaries=None):
        binaries = binaries or [str(self.dir / program) for program in self.names]
        path.write_text(POLICY.format(name=name, binaries=", ".join(binaries), rule=rule,
                                      more=more))
        os.chmod(path, 0o644)
        return path

    def image_of(self, policy):
        compiled = self.dir / f"compiled-{policy.stem}"
        harness.run_checked([PAGEWARDEN, "policy", "compile", policy, "-o", compiled])
        image, = compiled.glob("images/*/policy.image")
        return image

    def start(self, name, before=(), preexec=None, **variables):
        environment = {**os.environ, **{key: str(value) for key, value in variables.items()}}
        self.processes[name] = subprocess.Popen([*map(str, before), str(self.dir / name)],
                                                env=environment, preexec_fn=preexec,
                                                stdin=subprocess.DEVNULL,
                                                stdout=subprocess.DEVNULL,
                                                stderr=subprocess.DEVNULL)

    def start_preloaded(self, name, image=None, before=(), first="", **more):
        """By LD_PRELOAD, with `first` before the shim."""
        preload = f"{self.dir / first}:{SHIM}" if first else SHIM
        images = {"PAGEWARDEN_IMAGE": image} if image else {}
        self.start(name, before=before, LD_PRELOAD=preload, **images, **more)

    @staticmethod
    def under(policy, *options):
        return [PAGEWARDEN, "run", "--policy", policy, *options, "--"]

    def start_all(self):
        self.start("started_before")
        self._start_followers()
        for name in ("static", "static_pie", "static_go", "wrong_class", "libc", "not_preloaded",
                     "setgid", EXCEPTED):
            self.start(name)
        for name in ("setuid", "file_capability"):
            self.start(name, before=AS_NOBODY)
        self._start_without_shim()
        self._start_without_image()
        self._start_refused()
        self._start_under_other_policies()
        for name in self.processes:
            self._wait_for(name)
        self._damage(self.processes["invalid_ledger"].pid)

    def _start_followers(self):
        """One follows what is published, and allocates nothing when newer policies are."""
        self.policy = self.policies / "all.yaml"
        self.older = self.write(self.dir / "older.yaml", rule="of-yesterday")
        shutil.copy(self.older, self.policy)
        self.start("stale_policy", before=[PAGEWARDEN, "run", "--"])
        self._wait_for("stale_policy")
        exception = EXCEPTION.format(binary=self.dir / EXCEPTED)
        self.write(self.policy, more=exception)
        harness.run_checked([PAGEWARDEN, "run", "--", "true"])
        self.image = self.image_of(self.policy)

    def _start_without_shim(self):
        gone = self.dir / "gone" / SHIM.name
        self.start("not_there", LD_PRELOAD=gone)
        # The kernel takes up to 6 MiB, behind which the loader's variable is.
        padding = {f"A{number:02}": 120000 * "x" for number in range(44)}
        self.start("large_environment", preexec=large_stack, **padding, LD_PRELOAD=gone)
        mount = RUNTIME / "noexec"
        mount.mkdir()
        harness.run_checked(["mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", mount])
        shutil.copy(SHIM, mount)
        self.start("noexec", LD_PRELOAD=mount / SHIM.name)
        self.start("disabled", before=self.under(self.policy), PAGEWARDEN_DISABLED=1)

    def _start_without_image(self):
        self.start_preloaded("no_image", self.dir / "gone.image")
        garbage = self.dir / "garbage.image"
        garbage.write_bytes(b"not an image" * 100)
        self.start_preloaded("image_invalid", garbage)
        writable = self.dir / "writable.image"
        shutil.copy(self.image, writable)
        os.chmod(writable, 0o666)
        self.start_preloaded("image_untrusted", writable)
        self.start_preloaded("no_policy", self.image_of(
            self.write(self.dir / "elsewhere.yaml", binaries=["/bin/true"])))

    def _start_refused(self):
        self.start_preloaded("shadowed", self.image, first="own_malloc.so")
        self.start_preloaded("no_fork_handler", self.image, first="no_fork_handlers.so")
        self.start_preloaded("no_next_allocator", self.image)
        self.start_preloaded("sanitizer", self.image, ASAN_OPTIONS="verify_asan_link_order=0")
        self.start_preloaded("no_reservation", self.image_of(
            self.write(self.dir / "large.yaml", more=LARGE_ARENA)),
                             before=["prlimit", f"--as={100 << 20}"])
        second = self.image_of(self.write(self.dir / "second.yaml", more=SECOND_ARENA))
        for name, image, limit in (("lock_failed", self.image, 0),
                                   ("partly_locked", second, 64 << 10)):
            self.start_preloaded(name, image,
                                 before=["prlimit", f"--memlock={limit}:{limit}", *AS_NOBODY])
        self.start_preloaded("invalid_ledger", self.image)

    def _start_under_other_policies(self):
        for name in ("covered", "musl"):
            self.start(name, before=self.under(self.policy))
        other = self.write(self.dir / "other.yaml", name="another")
        self.start("other_policy", before=self.under(other))
        self.start("mode_differs", before=self.under(self.policy, "--mode", "Audit"))
        self.start("needs_restart", before=self.under(self.older))

    def _wait_for(self, name):
        pid, wanted = self.processes[name].pid, str(self.dir / name)

        def sleeps():
            return (os.readlink(f"/proc/{pid}/exe") == wanted and
                    "S (sleeping)" in pathlib.Path(f"/proc/{pid}/status").read_text())

        harness.wait_until(sleeps, f"{name} sleeps")

    @staticmethod
    def _damage(pid):
        """As the program itself might: over the version of the ledger."""
        maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
        with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
            for start, end in re.findall(rf"(?m)^(\w+)-(\w+) .*{SHIM.name}$", maps):
                memory.seek(int(start, 16))
                found = memory.read(int(end, 16) - int(start, 16)).find(b"PWLEDGER")
                if found >= 0 and "w" in maps.split(f"{start}-{end} ", 1)[1][:4]:
                    memory.seek(int(start, 16) + found + 8)
                    memory.write(b"\xff\xff\xff\xff")
                    return
        raise harness.HarnessError("no ledger was found")
