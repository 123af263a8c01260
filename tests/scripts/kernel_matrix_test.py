#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/lib/kernels: what a guest says, and the archive it starts from."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
sys.path[:0] = [str(SCRIPTS / "lib"), str(SCRIPTS / "matrix")]

from kernels import guest, images, initramfs, suites, verdicts  # noqa: E402

SUITE = suites.Suite("audit", "/x")


def boot(text, console="", problem=""):
    return guest.Boot(guest.jobs_of(text), text.endswith("@@ done\n"), console, problem)


class GuestTest(unittest.TestCase):

    def test_a_job_has_its_output_status_and_time(self):
        job = boot("@@ begin audit\none\r\ntwo\n\n@@ end audit 3 1500\n@@ done\n").jobs["audit"]
        self.assertEqual((job.output, job.status, job.seconds), ("one\ntwo\n", 3, 1.5))

    def test_a_job_that_was_cut_short_has_no_status(self):
        jobs = boot("@@ begin a\nx\n\n@@ end a 0 1\n@@ begin audit\nhalf").jobs
        self.assertEqual([jobs["a"].status, jobs["audit"].status], [0, None])

    def test_a_panic_is_named(self):
        cell = verdicts.cell(SUITE, boot("", "[ 1.0] Kernel panic - not syncing: x\n[ 1.1] y\n"))
        self.assertEqual((cell.text, cell.good), ("NOT RUN", False))
        self.assertEqual(cell.details, ("[ 1.0] Kernel panic - not syncing: x",))

    def test_what_the_job_prints_cannot_end_it_as_another(self):
        jobs = boot("@@ begin audit\n@@ end other 0 1\n\n@@ end audit 1 2\n@@ done\n").jobs
        self.assertEqual(jobs["audit"].status, 1)


class VerdictsTest(unittest.TestCase):

    def verdict(self, output, status):
        return verdicts.cell(SUITE, boot(f"@@ begin audit\n{output}\n@@ end audit {status} 9\n"))

    def test_googletest_cases_are_counted(self):
        cell = self.verdict("[       OK ] A.B (0 ms)\n[  FAILED  ] A.C (0 ms)\n", 1)
        self.assertEqual((cell.text, cell.good), ("1 passed, 1 FAILED", False))

    def test_a_crash_after_good_cases_fails(self):
        self.assertEqual(self.verdict("[       OK ] A.B (0 ms)\n", 139).text, "1 passed, 1 FAILED")

    def test_out_of_time_fails(self):
        self.assertFalse(self.verdict("", 124).good)

    def test_what_a_kernel_lacks_is_absent_only_while_it_fails(self):
        suite = suites.Suite("audit", "/x", absent={"5.10": "no hook"})
        failed = boot("@@ begin audit\n\n@@ end audit 1 9\n@@ done\n")
        passed = boot("@@ begin audit\n\n@@ end audit 0 9\n@@ done\n")
        self.assertEqual(verdicts.cell(suite, failed, "5.10").details, ("absent: no hook",))
        self.assertFalse(verdicts.cell(suite, failed, "6.1").good)
        self.assertFalse(verdicts.cell(suite, passed, "5.10").good)
        self.assertTrue(verdicts.cell(suite, passed, "6.1").good)

    def test_facts_are_merged_and_only_of_a_good_end(self):
        facts = suites.Suite("f", "/x", kind="facts")
        told = 'noise\n{"a": "1"}\n{"b": "2"}\n'
        good = boot(f"@@ begin f\n{told}\n@@ end f 0 1\n@@ done\n")
        bad = boot(f"@@ begin f\n{told}\n@@ end f 1 1\n@@ done\n")
        self.assertEqual(verdicts.facts(facts, good), {"a": "1", "b": "2"})
        self.assertEqual(verdicts.facts(facts, bad), {})
        self.assertFalse(verdicts.cell(facts, bad).good)


class ImagesTest(unittest.TestCase):

    def test_the_newest_package_is_found_by_its_numbers(self):
        names = ["linux-image-7.9.1+deb14-amd64", "linux-image-7.10.0+deb14-amd64",
                 "linux-binary-7.10.0+deb14-amd64", "linux-binary-7.2.13+deb14-amd64"]
        self.assertEqual(images.newest_of(names), "linux-binary-7.10.0+deb14-amd64")


class InitramfsTest(unittest.TestCase):

    def test_cpio_reads_it_and_the_program_runs_from_it(self):
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name)
            archive = initramfs.Archive()
            archive.add("/etc/odd", b"12345")
            archive.add_program("/bin/sh", directory)
            archive.write(directory / "archive")
            root = directory / "root"
            root.mkdir()
            subprocess.run(["cpio", "-i", "--quiet", "--no-absolute-filenames"], cwd=root,
                           input=(directory / "archive").read_bytes(), check=True)
            self.assertEqual((root / "etc" / "odd").read_bytes(), b"12345")
            self.assertTrue((root / "usr/bin/sh").exists() or (root / "bin/sh").exists())
            for library in initramfs.libraries("/bin/sh"):
                copied = root / pathlib.Path(library).resolve().relative_to("/")
                self.assertEqual(copied.read_bytes(), pathlib.Path(library).read_bytes())


if __name__ == "__main__":
    unittest.main(verbosity=2)
