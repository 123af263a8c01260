#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""examples/keyring.c where it is linked with the library, where it is left to
`pagewarden run`, and where it has neither."""

import contextlib
import json
import pathlib
import re
import secrets
import subprocess
import tempfile
import unittest

import harness
import pagewarden

EXAMPLES = harness.BUILD / "examples"
POLICY = harness.ROOT / "examples" / "keyring.yaml"
PASSPHRASES = 200
PAGE = 4096


@contextlib.contextmanager
def keyring(command, passphrases):
    """(pid, first line printed) of a keyring that holds `passphrases`."""
    process = subprocess.Popen([str(word) for word in (*command, "hold")], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        process.stdin.write("".join(f"{line}\n" for line in passphrases))
        process.stdin.close()
        yield process.pid, process.stdout.readline()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def flags_at(pid, address):
    """VmFlags of the mapping that `address` is in (proc(5))."""
    inside = False
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        bounds = re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line)
        if bounds:
            inside = int(bounds[1], 16) <= address < int(bounds[2], 16)
        elif inside and line.startswith("VmFlags:"):
            return line.split()[1:]
    raise harness.HarnessError(f"nothing is mapped at {address:#x}")


def shim_of(pid):
    report = json.loads(harness.run_checked(
        [pagewarden.PAGEWARDEN, "audit", "--json", "--pid", pid]))
    return report["cgroups"][0]["processes"][0].get("shim")


class KeyringTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="pagewarden-keyring-")
        self.addCleanup(scratch.cleanup)
        self.passphrases = [secrets.token_hex(24) for _ in range(PASSPHRASES)]
        self.file = pathlib.Path(scratch.name) / "passphrase"
        self.file.write_text(self.passphrases[0], encoding="ascii")

    def copies(self, pid):
        """(exit code, rows) of `verify` for the first of the passphrases."""
        done = subprocess.run([str(pagewarden.PAGEWARDEN), "verify", "--json", "--pid", str(pid),
                               "--secret-text-file", str(self.file)],
                              capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)["copies"]

    def assert_fenced(self, pid, tag):
        code, copies = self.copies(pid)
        self.assertEqual((code, len(copies)), (0, 1))
        self.assertTrue(copies[0]["fenced"])
        self.assertEqual(copies[0]["tag"], tag)
        flags = flags_at(pid, int(copies[0]["address"], 16))
        self.assertIn("lo", flags)
        self.assertIn("dd", flags)

    def assert_packed(self, shim, arena, capacity):
        """One arena, locked in full, that takes far fewer pages than it has secrets."""
        (only,) = shim["arenas"]
        self.assertEqual((only["name"], only["capacityBytes"], only["lockedBytes"]),
                         (arena, capacity, capacity))
        self.assertGreaterEqual(only["liveAllocations"], PASSPHRASES)
        self.assertEqual(only["fallbacks"], 0)
        self.assertLess(only["peakPageBytes"], PASSPHRASES * PAGE / 10)
        by_name = [rule for rule in shim["rules"] if rule.get("byName")]
        self.assertEqual([rule["liveAllocations"] for rule in by_name], [PASSPHRASES])

    def test_linked(self):
        with keyring([EXAMPLES / "keyring"], self.passphrases) as (pid, said):
            self.assertRegex(said, "^secret memory: 1048576 of 1048576 bytes are locked, 200 blocks")
            self.assert_fenced(pid, "/default")
            shim = shim_of(pid)
            self.assertEqual((shim["policy"], shim["mode"]), ("", "Enforce"))
            self.assert_packed(shim, "default", 1 << 20)
            self.assertEqual(harness.locked_bytes(pid), 1 << 20)

    def test_under_a_policy(self):
        for program in ("keyring", "keyring-unlinked"):
            command = pagewarden.run_command(POLICY, [EXAMPLES / program])
            with self.subTest(program), keyring(command, self.passphrases) as (pid, said):
                self.assertRegex(said, "^secret memory: 65536 of 65536 bytes are locked")
                self.assert_fenced(pid, "keyring/passphrases")
                shim = shim_of(pid)
                self.assertEqual(shim["policy"], "keyring")
                self.assert_packed(shim, "passphrases", 64 << 10)

    def test_with_neither(self):
        with keyring([EXAMPLES / "keyring-unlinked"], self.passphrases) as (pid, said):
            self.assertEqual(said, "plain memory: pagewarden is not here\n")
            code, copies = self.copies(pid)
            self.assertEqual(code, 1)
            for copy in copies:
                self.assertFalse(copy["fenced"])
                self.assertNotIn("lo", flags_at(pid, int(copy["address"], 16)))
            self.assertIsNone(shim_of(pid))
            self.assertEqual(harness.locked_bytes(pid), 0)

    def test_full_arena_is_refused_not_leaked(self):
        """The policy says Fail: the program sees a null pointer, and says so."""
        lines = "".join(f"{secrets.token_hex(400)}\n" for _ in range(PASSPHRASES))
        done = subprocess.run(pagewarden.run_command(POLICY, [EXAMPLES / "keyring"]), input=lines,
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "keyring: cannot keep every passphrase\n"))


if __name__ == "__main__":
    harness.main()
