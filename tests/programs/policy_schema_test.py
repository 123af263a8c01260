#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema against policies: it takes what lint takes, and refuses what a schema can."""

import json
import pathlib
import subprocess
import unittest

import jsonschema
import yaml

import harness
import pagewarden

CASES = harness.ROOT / "tests/cases/policy"

# Wrong in a way that no schema sees: YAML itself, uniqueness, references, arithmetic.
BEYOND_A_SCHEMA = {
    "anchors_and_aliases", "duplicate_budget_document", "duplicate_key", "duplicate_names",
    "duplicate_policy", "long_line", "no_policy", "octal_priority",
    "size_upside_down", "unknown_arena", "unknown_preset",
}


class Loader(yaml.SafeLoader):
    """Dates stay text, as YAML 1.2 has them and as editors do."""


Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def documents(text):
    return [document for document in yaml.load_all(text, Loader) if document is not None]


class SchemaTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        text = harness.run_checked([pagewarden.PAGEWARDEN, "policy", "schema"])
        cls.schema = json.loads(text)
        cls.validator = jsonschema.Draft7Validator(cls.schema)

    def test_is_a_schema(self):
        jsonschema.Draft7Validator.check_schema(self.schema)

    def test_takes_all_shipped_policies(self):
        paths = sorted((harness.ROOT / "policies").rglob("*.yaml"))
        paths += sorted((harness.ROOT / "examples").rglob("*.yaml"))
        self.assertGreater(len(paths), 20)
        for path in paths:
            for document in documents(path.read_text(encoding="utf-8")):
                with self.subTest(path=path.name):
                    self.assertEqual([e.message for e in self.validator.iter_errors(document)], [])

    def test_takes_the_examples_of_the_documentation(self):
        text = (harness.ROOT / "docs/policy.md").read_text(encoding="utf-8")
        examples = [part.split("```")[0] for part in text.split("```yaml\n")[1:]]
        self.assertGreater(len(examples), 4)
        for example in examples:
            for document in documents(example):
                self.validator.validate(document)

    def test_refuses_what_a_schema_can(self):
        taken = set()
        for path in sorted(CASES.glob("*.yaml")):
            try:
                found = documents(path.read_bytes())
            except (yaml.YAMLError, ValueError, UnicodeError, TypeError):
                continue  # refused by any YAML parser
            if all(self.validator.is_valid(document) for document in found):
                taken.add(path.stem)
        self.assertEqual(taken, BEYOND_A_SCHEMA, "wrong policies that the schema takes")

    def test_lint_of_what_is_shipped_warns_of_nothing(self):
        policies = harness.ROOT / "policies"
        examples = sorted((harness.ROOT / "examples").rglob("*.yaml"))
        for path in [policies, policies / "budgets", *examples]:
            done = subprocess.run([pagewarden.PAGEWARDEN, "policy", "lint", "--strict", path],
                                  capture_output=True, text=True, check=False)
            with self.subTest(path=path):
                self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    harness.main()
