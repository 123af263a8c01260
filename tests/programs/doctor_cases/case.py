# SPDX-License-Identifier: Apache-2.0
"""What the cases of the doctor share."""

import unittest

from doctor import Diagnosis

# Codes that a case has brought about.
SEEN = set()


class DoctorCase(unittest.TestCase):
    def diagnose(self, *arguments, prefix=(), expect):
        """Runs the doctor; all codes of `expect` must be among its findings."""
        diagnosis = Diagnosis(arguments, prefix)
        for code in expect:
            self.assertIn(code, diagnosis.codes, diagnosis.text.stdout)
            SEEN.add(code)
        return diagnosis

    def assert_mended(self, code, *arguments, prefix=()):
        diagnosis = Diagnosis(arguments, prefix)
        self.assertNotIn(code, diagnosis.codes, diagnosis.text.stdout)
