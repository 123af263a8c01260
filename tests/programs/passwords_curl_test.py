#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The preset passwords-curl alone: what curl hands to libcurl is fenced in there, for as long as
libcurl keeps it."""

import tempfile
import unittest

import coverage
import harness
import pagewarden
from coverage.program import running

POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: passwords}
spec:
  rules:
    - match: {preset: passwords-curl}
"""


@harness.needs_root
@unittest.skipIf(coverage.Curl.missing(), "curl is not installed")
class PasswordsCurlTest(unittest.TestCase):
    def test_what_libcurl_is_given(self):
        policy = self.enterContext(tempfile.NamedTemporaryFile("w", suffix=".yaml"))
        policy.write(POLICY)
        policy.flush()
        with running(coverage.Curl, policy.name) as curl:
            curl.work()
            password = [secret for secret in curl.secrets if not secret.is_key]
            _, report = pagewarden.verify(curl.cgroup, password)
            fenced = {copy["pid"] for copy in report["copies"] if copy["fenced"]}
            self.assertEqual(sorted(fenced), curl.pids())
            keys = [secret for secret in curl.secrets if secret.is_key]
            _, report = pagewarden.verify(curl.cgroup, keys)
            self.assertEqual([copy for copy in report["copies"] if copy["fenced"]], [])


if __name__ == "__main__":
    harness.main()
