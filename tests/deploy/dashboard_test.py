#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/grafana: the dashboard is what its source says, and asks for what there is."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import alert_rules
import dashboard_queries
import metric_names

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "deploy" / "grafana" / "generate.py"


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.dashboard = dashboard_queries.load()
        self.panels = [panel for panel in self.dashboard["panels"] if panel["type"] != "row"]

    def test_is_what_its_source_writes(self):
        done = subprocess.run([SOURCE], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, dashboard_queries.DASHBOARD.read_text(encoding="utf-8"))

    def test_is_found_and_filtered_in_the_usual_ways(self):
        self.assertEqual(self.dashboard["uid"], "pagewarden")
        self.assertFalse(self.dashboard["editable"])
        names = [variable["name"] for variable in self.dashboard["templating"]["list"]]
        self.assertEqual(names, ["datasource", "job", "instance", "cgroup", "runbooks"])
        for variable in self.dashboard["templating"]["list"][1:4]:
            self.assertEqual(variable["datasource"]["uid"], "${datasource}")

    def test_each_panel_says_what_it_shows(self):
        self.assertGreater(len(self.panels), 20)
        self.assertEqual(len({panel["id"] for panel in self.dashboard["panels"]}),
                         len(self.dashboard["panels"]))
        for panel in self.panels:
            with self.subTest(panel["title"]):
                self.assertTrue(panel["title"] and panel["description"].endswith("."))
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                self.assertEqual(panel["datasource"]["uid"], "${datasource}")
                for target in panel["targets"]:
                    self.assertEqual(target["datasource"]["uid"], "${datasource}")
                    self.assertIn('job=~"$job", instance=~"$instance"', target["expr"])
                    self.assertNotRegex(target["expr"], r"rate\([^)]*\[(?!\$__rate_interval)")

    def test_panels_do_not_overlap(self):
        taken = set()
        for panel in self.dashboard["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(taken & cells, panel["title"])
            self.assertLessEqual(at["x"] + at["w"], 24)
            taken |= cells

    def test_runbooks_are_there(self):
        links = [link["url"] for panel in self.panels for link in panel.get("links", [])]
        self.assertGreater(len(links), 10)
        for link in links:
            page = link.replace("${runbooks}", str(ROOT / "docs" / "runbooks"))
            self.assertTrue(pathlib.Path(page).is_file(), link)

    def rules(self, expressions):
        rules = [{"record": f"panel:query{number}:value", "expr": expression}
                 for number, expression in enumerate(expressions)]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
            file.flush()
            return subprocess.run(["promtool", "check", "rules", file.name],
                                  capture_output=True, text=True, check=False)

    def test_promtool_takes_every_query(self):
        filled = [dashboard_queries.substitute(expression)
                  for _, expression in dashboard_queries.expressions(self.dashboard)]
        self.assertNotIn("$", "".join(filled))
        done = self.rules(filled)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotEqual(self.rules(filled + ["sum(up"]).returncode, 0)


class Names(unittest.TestCase):
    """No query asks for a metric that nobody exports."""

    def check(self, expressions):
        known = metric_names.documented() | metric_names.FOREIGN
        for expression in expressions:
            names = metric_names.used(expression)
            self.assertFalse(names - known, expression)

    def test_of_the_dashboard(self):
        self.check(expression for _, expression in
                   dashboard_queries.expressions(dashboard_queries.load()))

    def test_of_the_rules(self):
        rules = alert_rules.load(alert_rules.RECORDS) + alert_rules.load(alert_rules.ALERTS)
        self.check(rule["expr"] for rule in rules)

    def test_of_the_records_that_alerts_use(self):
        records = {rule["record"] for rule in alert_rules.load(alert_rules.RECORDS)}
        for rule in alert_rules.load(alert_rules.ALERTS) + alert_rules.load(alert_rules.RECORDS):
            for name in re.findall(r"\b\w+:\w+:\w+\b", rule["expr"]):
                self.assertIn(name, records)


if __name__ == "__main__":
    unittest.main(verbosity=2)
