#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`pagewarden policy` on real programs: what is said, and the exit codes."""

import json
import os
import pathlib
import tempfile
import unittest

import harness
import learning

PRESET = """\
apiVersion: pagewarden/v1alpha1
kind: Preset
metadata: {name: team}
spec:
  libraries: [libcrypto.so*]
  during: [NO_SUCH_FUNCTION, PEM_read_bio_PrivateKey]
---
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: team}
spec:
  priority: 5
  rules:
    - match: {preset: team}
    - {name: gone, match: {callers: [{module: libgone.so*}]}}
---
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: fallback}
spec:
  rules:
    - match: {all: true}
"""


class ExplainTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="pagewarden-explain-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)

    def write(self, text, name="policy.yaml"):
        path = self.directory / name
        path.write_text(text, encoding="ascii")
        path.chmod(0o644)
        return path

    def explain(self, *arguments):
        return learning.run("policy", "explain", *arguments)

    def test_shipped_policy(self):
        done = self.explain("--exe", "nginx")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("policy nginx-tls-keys", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^openssl-private-keys: [1-9]\d* of \d+ bind")

    def test_openssl_in_the_executable(self):
        policy = self.write("apiVersion: pagewarden/v1alpha1\nkind: AllocationPolicy\n"
                            "metadata: {name: keys}\nspec:\n  rules:\n"
                            "    - match: {preset: openssl-private-keys}\n")
        program = harness.BUILD / "tests/programs/static-openssl"
        done = self.explain("--exe", program, "--policy", policy)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("the executable defines it", done.stdout)
        self.assertIn("pagewarden learn", done.stdout)

    def test_function_that_the_library_lacks(self):
        done = self.explain("--exe", "openssl", "--policy", self.write(PRESET))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("cannot bind: NO_SUCH_FUNCTION (libcrypto.so.3 does not export it)",
                      done.stdout)
        self.assertIn("cannot bind: libgone.so* (no loaded module has such a name)", done.stdout)
        self.assertIn("passed over: fallback (priority 0): lower priority", done.stdout)

    def test_json(self):
        done = self.explain("--exe", "openssl", "--policy", self.write(PRESET), "--json")
        report = json.loads(done.stdout)
        self.assertEqual(report["schemaVersion"], 1)
        self.assertEqual(report["policy"], "team")
        effects = {part["part"]: part["effect"] for part in report["rules"][0]["parts"]}
        self.assertEqual(effects["NO_SUCH_FUNCTION"], "cannot bind")
        self.assertEqual(effects["PEM_read_bio_PrivateKey"], "binds")

    def test_process_with_what_it_loaded_later(self):
        import ssl  # noqa: F401: loads libcrypto into this process
        done = self.explain("--pid", os.getpid(), "--policy", self.write(PRESET), "--json")
        report = json.loads(done.stdout)
        self.assertEqual(report["pid"], os.getpid())
        self.assertTrue(any("/libcrypto.so" in path for path in report["modules"]))

    def assert_refused(self, done, code, said):
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(said, done.stderr.splitlines()[-1])
        self.assertEqual(done.stdout, "")

    def test_wrong_input(self):
        self.assert_refused(self.explain("--exe", "/nonexistent"), 4, "command not found")
        self.assert_refused(self.explain("--exe", "/etc/passwd"), 4, "not an executable file")
        self.assert_refused(self.explain("--pid", 4194304), 4, "process 4194304")
        self.assert_refused(self.explain(), 2, "give --exe, --pid or --unit")
        damaged = self.directory / "damaged"
        damaged.write_bytes(pathlib.Path("/bin/true").read_bytes()[:3000])
        damaged.chmod(0o755)
        self.assert_refused(self.explain("--exe", damaged), 4, str(damaged))
        wrong = self.write(PRESET.replace("kind: Preset", "kind: Preste"))
        self.assert_refused(self.explain("--exe", "openssl", "--policy", wrong), 3,
                            "invalid policy")

    def test_lint(self):
        done = learning.run("policy", "lint", self.write(PRESET))
        self.assertEqual((done.returncode, done.stdout), (0, "2 policies, 1 preset: no errors\n"))
        wrong = self.write(PRESET.replace("preset: team", "preset: taem"))
        self.assert_refused(learning.run("policy", "lint", wrong), 3, "invalid policy: 1 error")


if __name__ == "__main__":
    harness.main()
