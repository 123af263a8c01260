# SPDX-License-Identifier: Apache-2.0
"""Unit files, and drop-ins applied to them."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import doctor
import pagewarden
from doctor import STATIC_TARGET, Diagnosis
from doctor_cases.case import DoctorCase

UNIT = "[Service]\nExecStart=/usr/bin/target\n"


class UnitTest(DoctorCase):
    """Unit files of an image; the drop-in that is printed is written, and systemd reads it."""

    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def arguments(self):
        return ["--unit", "target", "--root", self.root]

    def apply(self, diagnosis, code, choice=0):
        path, text = diagnosis.files(code)[choice]
        self.assertTrue(path.startswith(f"{self.root}/etc/systemd/system/target.service.d/"), path)
        doctor.write(path, text)

    def assert_systemd_reads_it(self):
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--generators=no",
                               f"--root={self.root}", "target.service"], capture_output=True,
                              text=True, check=False)
        lines = [line for line in done.stderr.splitlines() if ".service.d/" in line]
        self.assertEqual(lines, [])

    def assert_drop_in_mends(self, settings, code, choice=0):
        doctor.image(self.root, **{"target.service": UNIT + settings})
        diagnosis = self.diagnose(*self.arguments(), expect=[code])
        self.apply(diagnosis, code, choice)
        self.assert_mended(code, *self.arguments())
        self.assert_systemd_reads_it()
        return diagnosis

    def test_limit_of_zero(self):
        self.assert_drop_in_mends("User=nobody\nLimitMEMLOCK=0\n", "PW001")

    def test_limit(self):
        diagnosis = self.assert_drop_in_mends("User=nobody\nLimitMEMLOCK=64K\n", "PW003")
        self.assertIn("LimitMEMLOCK=1310720\n", diagnosis.files("PW003")[0][1])

    def test_limit_by_capability(self):
        self.assert_drop_in_mends("User=nobody\nLimitMEMLOCK=64K\n", "PW003", choice=1)

    def test_capability_without_bounding_set(self):
        diagnosis = self.assert_drop_in_mends(
            "User=nobody\nLimitMEMLOCK=64K\nCapabilityBoundingSet=CAP_CHOWN\n", "PW003", choice=1)
        self.assertIn("CapabilityBoundingSet=CAP_IPC_LOCK\n", diagnosis.files("PW003")[1][1])

    def test_bounding_set_alone_gives_nothing(self):
        self.assert_drop_in_mends(
            "User=nobody\nLimitMEMLOCK=64K\nCapabilityBoundingSet=CAP_IPC_LOCK\n", "PW005", 1)

    def test_private_users(self):
        diagnosis = self.assert_drop_in_mends(
            "PrivateUsers=yes\nLimitMEMLOCK=64K\nAmbientCapabilities=CAP_IPC_LOCK\n", "PW004")
        self.assertEqual(len(diagnosis.files("PW004")), 1)  # no capability is offered

    def test_filter_that_refuses(self):
        self.assert_drop_in_mends(
            "SystemCallFilter=@basic-io\nSystemCallErrorNumber=EPERM\n", "PW015")

    def test_filter_that_kills(self):
        self.assert_drop_in_mends("SystemCallFilter=@basic-io @file-system\n", "PW016")

    def test_filter_that_allows(self):
        doctor.image(self.root, **{"target.service": UNIT + "SystemCallFilter=@system-service\n"})
        self.assertEqual(self.diagnose(*self.arguments(), expect=[]).codes, [])

    def test_memory(self):
        self.assert_drop_in_mends("MemoryMax=512K\n", "PW014")

    def test_unlimited(self):
        self.assert_drop_in_mends("LimitMEMLOCK=infinity\n", "PW025")

    def test_static(self):
        doctor.image(self.root, **{"target.service": UNIT})
        shutil.copy(STATIC_TARGET, self.root / "usr/bin/target")
        diagnosis = self.diagnose(*self.arguments(), expect=["PW010"])
        self.apply(diagnosis, "PW010")
        self.assert_systemd_reads_it()
        after = Diagnosis(self.arguments()).finding("PW010")
        self.assertEqual(after["severity"], "info")

    def test_precedence(self):
        doctor.image(self.root, **{"target.service": UNIT + "User=nobody\nLimitMEMLOCK=64K\n"})
        doctor.write(self.root / "usr/lib/systemd/system/target.service.d/10.conf",
                     "[Service]\nLimitMEMLOCK=16M\n")
        self.assert_mended("PW003", *self.arguments())
        doctor.write(self.root / "etc/systemd/system/target.service.d/10.conf",
                     "[Service]\n# masks the other of its name\n")
        self.diagnose(*self.arguments(), expect=["PW003"])
        doctor.write(self.root / "run/systemd/system/service.d/20.conf",
                     "[Service]\nLimitMEMLOCK=32M\n")
        self.assert_mended("PW003", *self.arguments())

    def test_masked_and_missing(self):
        doctor.image(self.root, **{"other.service": UNIT})
        os.symlink("/dev/null", self.root / "etc/systemd/system/target.service")
        for unit in ("target", "nobody", "../../x"):
            done = subprocess.run(doctor.words([pagewarden.PAGEWARDEN, "doctor", "--unit", unit,
                                                "--root", self.root]), capture_output=True,
                                  text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), unit)
