#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's initramfs mounts /run noexec: the loader takes no library from there, and the hooks
of rules that name functions would silently be missing."""

import subprocess
import unittest

import harness
import pagewarden

MOUNTS = ("mkdir -p /run/pagewarden /var/cache && mount -t tmpfs -o mode=0755,noexec tmpfs"
          " /run/pagewarden && mount -t tmpfs -o mode=0755 tmpfs /var/cache && exec \"$@\"")


@harness.needs_root
class NoexecRun(unittest.TestCase):
    def maps(self, *options):
        """Of a program that was started with /run/pagewarden mounted noexec."""
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", MOUNTS, "sh", pagewarden.PAGEWARDEN, "run", *options,
             "--", "/usr/bin/cat", "/proc/self/maps"],
            capture_output=True, text=True, check=False, timeout=harness.DEADLINE_SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("cannot be preloaded", done.stderr)
        return done.stdout

    def test_hooks_are_loaded_from_elsewhere(self):
        policy = harness.ROOT / "policies" / "openssl.yaml"
        for options in ((), ("--policy", str(policy))):
            with self.subTest(options=options):
                maps = self.maps(*options)
                self.assertRegex(maps, r"r-xp .* /var/cache/pagewarden/[0-9a-f]+/scopes\.so")
                self.assertRegex(maps, r"r-xp .*/libpagewarden\.so")


if __name__ == "__main__":
    harness.main()
