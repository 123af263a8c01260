#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How scripts/coverage judges what it finds, and how it has a policy count."""

import unittest

import harness
from coverage import mallocs, survey
from coverage.program import Program


class Leaky(Program):
    name = "leaky"
    explained = {"password": {"Heap": "nobody moved it"}}


def copy(kind, fenced=False, locked=False):
    return {"kind": kind, "fenced": fenced, "locked": locked or fenced}


def look(*copies):
    found = survey.Look("at work")
    for one in copies:
        found.add(one)
    return found


def problems(plain, fenced, secret="password"):
    return survey.Row(Leaky, secret, False, plain, fenced).problems()


class LookTest(unittest.TestCase):
    def test_counts(self):
        found = look(copy("Arena", fenced=True), copy("Stack", locked=True), copy("Heap"),
                     copy("Heap"))
        self.assertEqual((found.copies, found.fenced, found.locked, found.left_over),
                         (4, 1, 1, 2))
        self.assertEqual(found.left, {"Heap": 2})

    def test_the_worst_is_the_one_with_most_left_else_the_last(self):
        looks = [{"key": look(copy("Heap"))}, {"key": look()}, {"key": look(copy("Stack"))}]
        self.assertEqual(survey.worst(looks, "key").left, {"Stack": 1})
        self.assertEqual(survey.worst(looks[:2], "key").left, {"Heap": 1})


class ProblemsTest(unittest.TestCase):
    plain = look(copy("Heap"))

    def test_explained(self):
        self.assertEqual(problems(self.plain, look(copy("Heap"), copy("Stack", locked=True))), [])

    def test_unexplained_place(self):
        self.assertEqual(problems(self.plain, look(copy("Heap"), copy("Stack"))),
                         ["leaky, password: 1 left in Stack at work, unexplained"])

    def test_unexplained_secret(self):
        self.assertEqual(problems(self.plain, look(copy("Heap")), secret="RSA key"),
                         ["leaky, RSA key: 1 left in Heap at work, unexplained"])

    def test_nothing_found_in_the_plain_program(self):
        self.assertEqual(problems(look(), look()),
                         ["leaky, password: no copy in the plain program: nothing to fence"])


POLICY = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: keys}
spec:
  selector: {matchBinaries: [/usr/bin/x]}
  rules:
    - match: {preset: openssl-private-keys}

    # The second.
    - match: {during: [f]}
  pin: {environment: true}
"""
COUNTING = """\
apiVersion: pagewarden/v1alpha1
kind: AllocationPolicy
metadata: {name: keys}
spec:
  mode: Audit
  selector: {matchBinaries: [/usr/bin/x]}
  rules:
    - match: {preset: openssl-private-keys}

    # The second.
    - match: {during: [f]}
    - {name: rest-of-the-mallocs, match: {all: true}}
  pin: {environment: true}
"""


class CountingTest(unittest.TestCase):
    def test_counts_all_and_moves_nothing(self):
        self.assertEqual(mallocs.counting(POLICY), COUNTING)

    def test_refuses_a_mode_of_the_policys_own(self):
        with self.assertRaises(harness.HarnessError):
            mallocs.counting(POLICY.replace("spec:\n", "spec:\n  mode: Enforce\n"))


if __name__ == "__main__":
    harness.main()
