#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/prometheus: the rules are sound, tested, and each alert has its runbook."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

import alert_rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULE_TESTS = sorted((alert_rules.DIRECTORY / "tests").glob("*.yaml"))
SEVERITIES = {"critical", "warning", "info"}


def promtool(*words):
    return subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True,
                          check=False)


def unit_tests():
    """Every test of every file in tests/."""
    for path in RULE_TESTS:
        yield from yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]


class Rules(unittest.TestCase):
    def check(self, *words):
        done = promtool(*words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_rules_are_clean(self):
        self.check("check", "rules", "--lint=all", "--lint-fatal", alert_rules.RECORDS,
                   alert_rules.ALERTS)

    def test_unit_tests_pass(self):
        self.check("test", "rules", *RULE_TESTS)

    def test_quick_rules_are_clean_and_wait_for_nothing(self):
        with tempfile.TemporaryDirectory() as directory:
            paths = alert_rules.write_quick(directory)
            self.check("check", "rules", "--lint=all", "--lint-fatal", *paths)
            text = "".join(path.read_text(encoding="utf-8") for path in paths)
        self.assertEqual(set(re.findall(r"for: (\w+)$", text, re.M)), {"2s"})
        self.assertEqual(set(re.findall(r"(?:\[|offset )(\w+)", text)), {"10s"})

    def test_scrape_example_is_valid(self):
        self.check("check", "config", "--syntax-only",
                   alert_rules.DIRECTORY / "scrape.example.yaml")

    def test_kubernetes_scrape_example_is_valid_but_for_its_discovery(self):
        # Debian's Prometheus is built without it.
        path = alert_rules.DIRECTORY / "scrape-kubernetes.example.yaml"
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        (discovery,) = config["scrape_configs"][0].pop("kubernetes_sd_configs")
        self.assertEqual(discovery, {"role": "pod", "namespaces": {"names": ["pagewarden"]}})
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as rest:
            yaml.safe_dump(config, rest)
            rest.flush()
            self.check("check", "config", "--syntax-only", rest.name)


class Alerts(unittest.TestCase):
    def test_each_says_what_where_and_what_to_do(self):
        for rule in alert_rules.load(alert_rules.ALERTS):
            with self.subTest(rule["alert"]):
                self.assertTrue(rule["alert"].startswith("Pagewarden"))
                self.assertIn(rule["labels"]["severity"], SEVERITIES)
                notes = rule["annotations"]
                self.assertEqual(set(notes), {"summary", "description", "runbook_url"})
                self.assertEqual(notes["runbook_url"], f"docs/runbooks/{rule['alert']}.md")
                self.assertTrue((ROOT / notes["runbook_url"]).is_file(), "no runbook")

    def test_each_has_a_unit_test_in_which_it_fires_and_others_in_which_it_does_not(self):
        fires, silent = set(), set()
        for test in unit_tests():
            for check in test.get("alert_rule_test", []):
                (fires if check.get("exp_alerts") else silent).add(check["alertname"])
        names = {rule["alert"] for rule in alert_rules.load(alert_rules.ALERTS)}
        self.assertEqual(fires, names)
        self.assertEqual(silent, names)

    def test_every_wait_and_threshold_is_pinned_by_a_unit_test(self):
        """A rule changed in either is caught: each change below fails a unit test."""
        text = alert_rules.ALERTS.read_text(encoding="utf-8")
        changes = [(match, ("0s" if "for:" in match.group() else "> 1e9"))
                   for match in re.finditer(r"(?<=    for: )\w+|> [\d.]+$|(?<= )== 0$", text, re.M)]
        self.assertGreater(len(changes), 30)
        for match, instead in changes:
            line = text.count("\n", 0, match.start()) + 1
            with self.subTest(line=line, was=match.group()):
                changed = text[:match.start()] + instead + text[match.end():]
                alert = re.findall(r"alert: (\w+)", text[:match.start()])[-1]
                self.assertNotEqual(self.outcome_with(changed, alert), 0)

    def outcome_with(self, alerts, alert):
        """Exit code of the unit tests that name `alert`, with other rules."""
        with tempfile.TemporaryDirectory() as directory:
            copy = pathlib.Path(directory) / "prometheus"
            shutil.copytree(alert_rules.DIRECTORY, copy)
            (copy / alert_rules.ALERTS.name).write_text(alerts, encoding="utf-8")
            concerned = [path for path in (copy / "tests").glob("*.yaml")
                         if alert in path.read_text(encoding="utf-8")]
            return promtool("test", "rules", *concerned).returncode


class Runbooks(unittest.TestCase):
    SECTIONS = ["## What it means", "## First commands", "## Causes and fixes", "## Silencing"]

    def test_each_is_of_an_alert_and_whole(self):
        names = {rule["alert"] for rule in alert_rules.load(alert_rules.ALERTS)}
        pages = {path.stem: path for path in (ROOT / "docs" / "runbooks").glob("*.md")
                 if path.stem != "README"}
        self.assertEqual(set(pages), names)
        for name, path in pages.items():
            with self.subTest(name):
                text = path.read_text(encoding="utf-8")
                self.assertTrue(text.startswith(f"# {name}\n"))
                at = [text.find(section) for section in self.SECTIONS]
                self.assertNotIn(-1, at)
                self.assertEqual(at, sorted(at))


if __name__ == "__main__":
    unittest.main(verbosity=2)
