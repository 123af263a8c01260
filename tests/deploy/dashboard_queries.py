# SPDX-License-Identifier: Apache-2.0
"""The queries of the dashboard, as a panel would send them to a Prometheus.

    empty = dashboard_queries.empty("http://127.0.0.1:9090")
    assert not empty, empty
"""

import json
import pathlib
import urllib.parse
import urllib.request

DASHBOARD = (pathlib.Path(__file__).resolve().parents[2] / "deploy" / "grafana" /
             "pagewarden.json")


def load(path=DASHBOARD):
    return json.loads(path.read_text(encoding="utf-8"))


def expressions(dashboard):
    """(title of the panel, expression) of every query."""
    return [(panel["title"], target["expr"]) for panel in dashboard["panels"]
            for target in panel.get("targets", [])]


def substitute(expression, rate_interval="1m", time_range="1h", **variables):
    """With Grafana's variables filled in; all hosts and cgroups where nothing is said."""
    values = {"__rate_interval": rate_interval, "__range": time_range, "job": ".*",
              "instance": ".*", "cgroup": ".*", **variables}
    for name, value in values.items():
        expression = expression.replace(f"${name}", value)
    return expression


def ask(url, expression, timeout=10):
    """The result of an instant query; raises on any error of HTTP or PromQL."""
    query = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{url.rstrip('/')}/api/v1/query?{query}",
                                timeout=timeout) as answer:
        return json.load(answer)["data"]["result"]


def empty(url, dashboard=None, **variables):
    """(title, expression) of the queries that return nothing; [] is what one wants."""
    filled = [(title, substitute(expression, **variables))
              for title, expression in expressions(dashboard or load())]
    return [(title, expression) for title, expression in filled if not ask(url, expression)]
