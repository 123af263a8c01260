#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real processes in each state that the doctor knows: it must name the state by its code, and
where the printed fix can be applied here, applying it must mend what was wrong."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import doctor
import harness
import pagewarden
from doctor import AS_USER, NO_IPC_LOCK, STATIC_TARGET, TARGET, Diagnosis, Target
from doctor_cases.case import SEEN, DoctorCase
from doctor_cases.purging import PurgingTest  # noqa: F401, run from here
from doctor_cases.units import UnitTest  # noqa: F401
from doctor_cases.watching import WatchTest  # noqa: F401

MIB = 1 << 20

# Codes that no test here can bring about, and why.
NOT_HERE = {
    "PW017": "this kernel has memfd_secret: tests/unit/doctor_host_test.cc",
    "PW018": "needs AppArmor in the kernel: tests/unit/doctor_verdicts_test.cc",
    "PW019": "needs SELinux in the kernel: tests/unit/doctor_verdicts_test.cc",
    "PW026": "depends on whether the machine has swap: tests/unit/doctor_host_test.cc",
    "PW028": "needs a machine that hibernates: tests/unit/doctor_host_test.cc",
    "PW030": "a setting of the whole machine: tests/unit/doctor_host_test.cc",
    "PW038": "needs zram or zswap: tests/unit/doctor_host_test.cc",
    "PW041": "for what no known cause explains: tests/unit/doctor_verdicts_test.cc",
}
# Those that tests/reasons provokes on some kernels only: no test of them here where it does not.
SOME_KERNELS = {
    "PW035": "kernels that charge memfd_secret to the user",
    "PW037": "machines with memory that mlockall skips",
}


@harness.needs_root
class LimitTest(DoctorCase):
    def test_soft_limit_of_a_running_process(self):
        with Target([*NO_IPC_LOCK, "prlimit", f"--memlock=65536:{8 * MIB}"]) as target:
            self.assertEqual(target.ask("lock", MIB), "ENOMEM")
            diagnosis = self.diagnose("--pid", target.pid, expect=["PW002"])
            self.assertEqual(diagnosis.finding("PW002")["reason"], "OVER_LIMIT.SOFT_BELOW_HARD")
            fix, = diagnosis.commands("PW002")
            self.assertEqual(doctor.run_shell(fix).returncode, 0)
            self.assertEqual(target.ask("lock", MIB), "OK")
            self.assert_mended("PW002", "--pid", target.pid)

    def assert_start_fix(self, limit, code, error):
        prefix = [*NO_IPC_LOCK, "prlimit", f"--memlock={limit}:{limit}"]
        before = " ".join([*prefix, str(TARGET)])
        self.assertEqual(doctor.tell(before, f"lock {MIB}"), [error])
        diagnosis = self.diagnose("--", TARGET, prefix=prefix, expect=[code])
        raised, capable = diagnosis.commands(code)
        for fix in (raised, capable):
            self.assertEqual(doctor.tell(fix, f"lock {MIB}"), ["OK"], fix)
        # The limit alone, without the capability.
        self.assertEqual(doctor.tell(" ".join(NO_IPC_LOCK) + " " + raised, f"lock {MIB}"), ["OK"])
        return diagnosis

    def test_limit_of_zero(self):
        diagnosis = self.assert_start_fix(0, "PW001", "EPERM")
        self.assertEqual(diagnosis.finding("PW001")["reason"], "LIMIT_ZERO")

    def test_hard_limit(self):
        diagnosis = self.assert_start_fix(98304, "PW003", "ENOMEM")
        self.assertIn("--memlock=1310720:1310720", diagnosis.commands("PW003")[0])
        self.assertEqual(diagnosis.exit_code, 1)

    def test_kib_written_as_bytes(self):
        prefix = [*NO_IPC_LOCK, "prlimit", "--memlock=65536:65536"]
        with Target(prefix) as target:
            diagnosis = self.diagnose("--pid", target.pid, expect=["PW003", "PW031"])
        self.assertIn("67108864 bytes", diagnosis.finding("PW031")["headline"])
        self.assertEqual(diagnosis.finding("PW003")["reason"], "OVER_LIMIT.UNIT")

    def test_capability_of_a_user_namespace(self):
        namespace = ["prlimit", "--memlock=65536:65536", "unshare", "-Ur"]
        self.assertEqual(doctor.tell(" ".join([*namespace, str(TARGET)]), f"lock {MIB}"),
                         ["ENOMEM"])
        diagnosis = self.diagnose("--", TARGET, prefix=namespace, expect=["PW004"])
        fix, = diagnosis.commands("PW004")
        self.assertNotIn("setpriv", fix)
        self.assertEqual(doctor.tell(f"{fix}; exec unshare -Ur {TARGET}", f"lock {MIB}"), ["OK"])
        with Target(namespace) as target:
            self.diagnose("--pid", target.pid, expect=["PW004"])

    def test_capability_that_never_became_effective(self):
        # What a container's user that is not root has of capabilities.add: [IPC_LOCK].
        container = ["prlimit", "--memlock=65536:65536", *AS_USER, "--bounding-set=-sys_admin"]
        self.assertEqual(doctor.tell(" ".join([*container, str(TARGET)]), f"lock {MIB}"),
                         ["ENOMEM"])
        diagnosis = self.diagnose("--", TARGET, prefix=container, expect=["PW005"])
        limit, capability = diagnosis.commands("PW005")
        as_user = " ".join([*AS_USER, "--bounding-set=-sys_admin"])
        self.assertEqual(doctor.tell(f"{as_user} {limit}", f"lock {MIB}"), ["OK"])
        self.assertEqual(doctor.tell(f"ulimit -l 64; exec {capability}", f"lock {MIB}"), ["OK"])
        with_capability = diagnosis.commands("PW005")[-1].replace(str(TARGET), "id -u")
        self.assertEqual(doctor.run_shell(with_capability).stdout.split(), [AS_USER[1][8:]])

    def test_drift(self):
        with Target([*NO_IPC_LOCK, "prlimit", f"--memlock={2 * MIB}:{2 * MIB}"]) as target:
            target.ask("drift", 20)
            if harness.locked_bytes(target.pid) == 0:
                NOT_HERE["PW032"] = "this kernel's mremap keeps VmLck right"
                self.skipTest(NOT_HERE["PW032"])
            self.assertEqual(target.ask("lock", MIB), "ENOMEM")
            diagnosis = self.diagnose("--pid", target.pid, expect=["PW032"])
            self.assertIn(".DRIFT", diagnosis.finding("PW032")["reason"])
        with Target([*NO_IPC_LOCK, "prlimit", f"--memlock={2 * MIB}:{2 * MIB}"]) as target:
            self.assertEqual(target.ask("lock", MIB), "OK")  # started again, as the fix says

    def test_allowed_by_capability_only(self):
        diagnosis = self.diagnose("--need", "1Gi", "--", TARGET, expect=["PW033"])
        self.assertEqual(diagnosis.finding("PW033")["severity"], "info")
        self.assertEqual(diagnosis.finding("PW033")["reason"], "PRIVILEGED_BYPASS")

    def test_locked_shared_memory_of_the_user(self):
        user = ["prlimit", "--memlock=65536:65536", *AS_USER]
        with Target(user) as holder:
            self.assertEqual(holder.ask("shm", 49152), "OK")
            with Target(user) as target:
                self.assertEqual(target.ask("shm", 49152), "ENOMEM")
                self.assertEqual(target.ask("lock", 49152), "OK")
            with Target(user) as target:
                self.diagnose("--pid", target.pid, "--need", "48Ki", expect=["PW023"])

    def test_limit_that_came_to_nobody(self):
        with tempfile.TemporaryDirectory() as directory, \
                Target([*NO_IPC_LOCK, "prlimit", "--memlock=65536:65536"]) as target:
            pathlib.Path(directory, "90-memlock.conf").write_text("root - memlock 4096\n",
                                                                  encoding="ascii")
            namespace = ["unshare", "-m", "sh", "-c",
                         f"mount --bind {directory} /etc/security/limits.d && exec \"$@\"", "sh"]
            diagnosis = self.diagnose("--pid", target.pid, prefix=namespace, expect=["PW024"])
        self.assertIn("4194304 bytes (4096 KiB)", diagnosis.finding("PW024")["headline"])

    def test_enough_is_no_finding(self):
        diagnosis = self.diagnose("--", TARGET, prefix=NO_IPC_LOCK, expect=[])
        self.assertEqual((diagnosis.codes, diagnosis.exit_code), ([], 0))
        self.assertIn("nothing found", diagnosis.text.stdout)
        self.assertIn("looked at RLIMIT_MEMLOCK", diagnosis.text.stdout)


@harness.needs_root
class ProcessTest(DoctorCase):
    def test_too_many_mappings(self):
        setting = pathlib.Path("/proc/sys/vm/max_map_count")
        before = setting.read_text(encoding="ascii")
        self.addCleanup(setting.write_text, before, encoding="ascii")
        with Target() as target:
            target.ask("split", int(before))
            diagnosis = self.diagnose("--pid", target.pid, expect=["PW013"])
            fix, = diagnosis.commands("PW013")
            self.assertEqual(doctor.run_shell(fix).returncode, 0)
            self.assert_mended("PW013", "--pid", target.pid)
            self.assertEqual(target.ask("lock", MIB), "OK")

    def test_memory_cgroup(self):
        with harness.SetUp("doctor") as setup:
            limit = setup.cgroup.directory / "memory.limit_in_bytes"
            if not limit.exists():
                limit = setup.cgroup.directory / "memory.max"
            limit.write_text(str(16 * MIB), encoding="ascii")
            with Target(preexec_fn=setup.cgroup.enter) as target:
                diagnosis = self.diagnose("--pid", target.pid, "--need", "64Mi", expect=["PW014"])
                fix, = diagnosis.commands("PW014")
                self.assertEqual(doctor.run_shell(fix).returncode, 0)
                self.assert_mended("PW014", "--pid", target.pid, "--need", "64Mi")
                self.assertEqual(target.ask("lock", 64 * MIB), "OK")

    def test_locks_lost_by_fork(self):
        with Target() as target:
            self.assertEqual(target.ask("lock", 65536), "OK")
            child = int(target.ask("fork"))
            try:
                self.diagnose("--pid", child, expect=["PW020"])
                self.assert_mended("PW020", "--pid", target.pid)
            finally:
                os.kill(child, 9)

    def test_everything_locked(self):
        with Target([*NO_IPC_LOCK, "prlimit", f"--memlock={8 * MIB}:{8 * MIB}"]) as target:
            self.assertEqual(target.ask("all"), "OK")
            self.diagnose("--pid", target.pid, expect=["PW021"])
            self.assertEqual(target.ask("map", 8 * MIB), "EAGAIN")

    def test_no_such_process(self):
        done = subprocess.run([pagewarden.PAGEWARDEN, "doctor", "--pid", "4194303"],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))

    def test_what_cannot_be_read_is_named(self):
        with Target() as target:
            diagnosis = Diagnosis(["--pid", target.pid], prefix=AS_USER)
        self.assertTrue(diagnosis.report["unreadable"])
        self.assertIn("cannot read", diagnosis.text.stderr)
        self.assertEqual(diagnosis.exit_code, 4)


@harness.needs_root
class ExecTest(DoctorCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(dir="/var/tmp")))
        self.directory.chmod(0o755)
        self.copy = self.directory / "target"
        shutil.copy(TARGET, self.copy)

    def set_capability(self):
        harness.run_checked(["setcap", "cap_ipc_lock=ep", self.copy])

    def has_shim(self, prefix):
        """Whether the copy, started as its user, loads a preloaded shim."""
        shim = self.directory / "libpagewarden.so"
        shutil.copy(harness.BUILD / "preload" / "libpagewarden.so", shim)
        environment = {**os.environ, "LD_PRELOAD": str(shim)}
        with Target(prefix, self.copy, env=environment) as target:
            return str(shim) in pathlib.Path(f"/proc/{target.pid}/maps").read_text(encoding="utf-8")

    def test_exec_that_is_refused(self):
        self.set_capability()
        refused = subprocess.run(doctor.words([*NO_IPC_LOCK, self.copy]), capture_output=True,
                                 check=False)
        self.assertNotEqual(refused.returncode, 0)
        diagnosis = self.diagnose("--", self.copy, prefix=NO_IPC_LOCK, expect=["PW006"])
        self.assertEqual(doctor.run_shell(diagnosis.commands("PW006")[0]).returncode, 0)
        self.assert_mended("PW006", "--", self.copy, prefix=NO_IPC_LOCK)
        self.assertEqual(subprocess.run(doctor.words([*NO_IPC_LOCK, self.copy]), check=False,
                                        stdin=subprocess.DEVNULL, capture_output=True).returncode,
                         0)

    def test_file_capability(self):
        self.set_capability()
        self.assertFalse(self.has_shim(AS_USER))
        diagnosis = self.diagnose("--", self.copy, prefix=AS_USER, expect=["PW007"])
        with Target(AS_USER, self.copy) as target:
            self.diagnose("--pid", target.pid, expect=["PW007"])
        take_off, ambient, *_ = diagnosis.commands("PW007")
        self.assertNotIn("cap_ipc_lock", take_off)
        self.assertEqual(doctor.run_shell(take_off).returncode, 0)
        self.assert_mended("PW007", "--", self.copy, prefix=AS_USER)
        self.assertTrue(self.has_shim(ambient.split(" -- ")[0].split()))
        limited = f"ulimit -l 64; exec {ambient}"
        self.assertEqual(doctor.tell(limited, f"lock {MIB}"), ["OK"])

    def test_file_capability_and_no_new_privs(self):
        self.set_capability()
        self.diagnose("--", self.copy, prefix=[*AS_USER, "--no-new-privs"], expect=["PW008"])

    def test_setgid(self):
        shutil.chown(self.copy, group=doctor.SOME_USER)
        self.copy.chmod(0o2755)
        diagnosis = self.diagnose("--", self.copy, expect=["PW007"])
        self.assertNotIn("setcap", diagnosis.text.stdout)
        self.assertIn("LD_PRELOAD=libpagewarden.so", diagnosis.commands("PW007"))

    def test_shim_that_is_missing(self):
        environment = {**os.environ, "LD_PRELOAD": "/nowhere/libpagewarden.so"}
        with Target(env=environment, stderr=subprocess.DEVNULL) as target:
            diagnosis = self.diagnose("--pid", target.pid, expect=["PW009"])
        self.assertIn("/nowhere/libpagewarden.so is not there",
                      diagnosis.finding("PW009")["headline"])

    def test_other_machine(self):
        program = bytearray(TARGET.read_bytes())
        program[4] = 1  # ELFCLASS32
        self.copy.write_bytes(program)
        self.diagnose("--", self.copy, expect=["PW009"])

    def test_static_program(self):
        with harness.SetUp("doctor") as setup, \
                Target(["prlimit", "--core=1000"], STATIC_TARGET,
                       preexec_fn=setup.cgroup.enter) as target:
            diagnosis = self.diagnose("--pid", target.pid, expect=["PW010"])
            self.assertIn("static executable", diagnosis.finding("PW010")["headline"])
            self.assertEqual(diagnosis.finding("PW010")["severity"], "error")
            missing = [line for line in diagnosis.finding("PW010")["inForce"]
                       if line.startswith("no ")]
            self.assertGreaterEqual(len(missing), 2)  # swap of its cgroup, core dumps
            for fix in diagnosis.commands("PW010"):
                self.assertEqual(doctor.run_shell(fix).returncode, 0, fix)
            after = Diagnosis(["--pid", target.pid]).finding("PW010")
            self.assertEqual(after["severity"], "info")
            self.assertEqual([line for line in after["inForce"] if line.startswith("no ")
                              and "host" not in line], [])

    @unittest.skipUnless(shutil.which("go"), "no Go compiler")
    def test_go_program(self):
        source = self.directory / "main.go"
        source.write_text("package main\nfunc main() { println(1) }\n", encoding="ascii")
        harness.run_checked(["go", "build", "-o", self.copy, source],
                            env={**os.environ, "GOFLAGS": "-p=1", "CGO_ENABLED": "0"})
        diagnosis = self.diagnose("--", self.copy, expect=["PW010"])
        self.assertIn("static Go executable", diagnosis.finding("PW010")["headline"])

    @unittest.skipUnless(shutil.which("musl-gcc"), "no musl-gcc")
    def test_musl_program_is_within_reach(self):
        source = self.directory / "main.c"
        source.write_text("int main(void) { return 0; }\n", encoding="ascii")
        harness.run_checked(["musl-gcc", "-o", self.copy, source])
        self.assertEqual(self.diagnose("--", self.copy, expect=[]).codes, [])


@harness.needs_root
class SeccompTest(DoctorCase):
    def filtered(self, action):
        return [TARGET, "filter", action, "--"]

    def test_refused(self):
        diagnosis = self.diagnose("--", TARGET, prefix=self.filtered("errno"), expect=["PW015"])
        self.assertIn("mlock2", diagnosis.finding("PW015")["headline"])
        self.assertNotIn("mmap", diagnosis.finding("PW015")["headline"])
        self.assertNotIn("PW016", diagnosis.codes)

    def test_killed(self):
        self.diagnose("--", TARGET, prefix=self.filtered("kill"), expect=["PW016"])

    def test_running(self):
        with Target(self.filtered("errno")) as target:
            self.assertEqual(target.ask("lock", 4096), "EPERM")
            diagnosis = self.diagnose("--pid", target.pid, expect=["PW015"])
        self.assertEqual(diagnosis.finding("PW015")["severity"], "info")


@harness.needs_root
class HostTest(DoctorCase):
    def test_swap_in_clear(self):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
            area = pathlib.Path(directory) / "swap file"
            area.write_bytes(bytes(4 * MIB))
            area.chmod(0o600)
            harness.run_checked(["mkswap", area])
            harness.run_checked(["swapon", "-p", "0", area])
            try:
                diagnosis = self.diagnose(expect=["PW027", "PW029"])
                self.assertIn("swap\\x20file" if "swap\\x20file" in diagnosis.text.stdout
                              else "swap file", diagnosis.finding("PW027")["headline"])
                self.assertEqual(diagnosis.exit_code, 1)
                off = next(c for c in diagnosis.commands("PW027") if str(area) in c)
                self.assertEqual(doctor.run_shell(off).returncode, 0)
                self.assertNotIn(str(area), Diagnosis([]).text.stdout)
            finally:
                subprocess.run(["swapoff", area], capture_output=True, check=False)


class ZTableTest(unittest.TestCase):
    """Last, by its name: all codes have been seen by now."""

    def codes(self):
        table = harness.run_checked([pagewarden.PAGEWARDEN, "doctor", "--codes"])
        return table, {line.split("|")[1].strip() for line in table.splitlines()[2:]}

    @unittest.skipUnless(os.geteuid() == 0, "not root: the other tests were skipped")
    def test_every_code_is_provoked_or_says_why_not(self):
        _, codes = self.codes()
        self.assertEqual(codes - SEEN - set(NOT_HERE) - set(SOME_KERNELS), set())
        self.assertEqual(SEEN & set(NOT_HERE), set())
        self.assertEqual(set(NOT_HERE) - codes, set())

    def test_the_documentation_has_the_table(self):
        table, _ = self.codes()
        text = (harness.ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
        self.assertIn(table, text)


if __name__ == "__main__":
    harness.main()
