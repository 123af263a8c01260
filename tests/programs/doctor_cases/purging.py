# SPDX-License-Identifier: Apache-2.0
"""An allocator that gives back pages by madvise(2), with all memory locked."""

import pathlib
import tempfile

import harness
import pagewarden
from doctor import Target
from doctor_cases.case import DoctorCase

MIB = 1 << 20
JEMALLOC = "libjemalloc.so.2"


def resident(pid):
    """VmRSS in bytes."""
    return int(harness.read_status(pid)["VmRSS"].split()[0]) * 1024


@harness.needs_root
class PurgingTest(DoctorCase):
    def test_an_allocator_that_gives_back_locked_pages(self):
        variables = ["env", "MALLOC_CONF=dirty_decay_ms:0,muzzy_decay_ms:0"]
        with Target([*variables, f"LD_PRELOAD={JEMALLOC}"]) as target:
            self.assertEqual(target.ask("churn", 32 * MIB), "OK")
            self.assertLess(resident(target.pid), 16 * MIB)
            self.assert_mended("PW022", "--pid", target.pid)
            self.assertEqual(target.ask("all"), "OK")
            self.assertEqual(target.ask("churn", 32 * MIB), "OK")
            self.assertGreater(resident(target.pid), 32 * MIB)  # as the finding says
            diagnosis = self.diagnose("--pid", target.pid, expect=["PW022"])
        self.assertIn(JEMALLOC, diagnosis.finding("PW022")["headline"])
        with Target() as target:
            self.assertEqual(target.ask("all"), "OK")
            self.assert_mended("PW022", "--pid", target.pid)
        # The fix: all of it locked by a policy.
        pinned = [*variables, f"LD_PRELOAD={JEMALLOC}", pagewarden.PAGEWARDEN, "run", "--policy",
                  self.pin_policy(), "--"]
        with Target(pinned) as target:
            self.assertEqual(target.ask("churn", 32 * MIB), "OK")
            self.assertGreater(harness.locked_bytes(target.pid), MIB)
            self.assertLess(resident(target.pid), 16 * MIB)
            self.assert_mended("PW022", "--pid", target.pid)

    def pin_policy(self):
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        directory.chmod(0o755)
        policy = directory / "pin.yaml"
        policy.write_text("apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\n"
                          "metadata: {name: pin}\nspec:\n  pin: {process: true}\n",
                          encoding="ascii")
        policy.chmod(0o644)
        return policy
