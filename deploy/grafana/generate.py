#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the dashboard: deploy/grafana/generate.py > deploy/grafana/pagewarden.json

A panel is a line of ROWS; the rest is the same for all of them.
"""

import json
import sys

# The cgroup variable is for metrics that have the label, HOST for those that do not.
HOST = 'job=~"$job", instance=~"$instance"'
CGROUP = HOST + ', cgroup=~"$cgroup"'
RUNBOOKS = "docs/runbooks"


def panel(title, unit, description, *targets, kind="timeseries", width=12, runbook=None):
    """`targets` are (expression, legend) pairs."""
    return {"title": title, "unit": unit, "description": description, "targets": targets,
            "kind": kind, "width": width, "runbook": runbook}


def stat(title, unit, description, expression, runbook=None):
    return panel(title, unit, description, (expression, ""), kind="stat", width=4,
                 runbook=runbook)


ROWS = {
    "Needs attention": [
        stat("Agents up", "none", "Agents that answered their last scrape.",
             f"sum(up{{{HOST}}})", "PagewardenAgentDown"),
        stat("Unfenced copies", "none",
             "Copies of secrets that were found outside the fence at the last check.",
             f'sum(pagewarden_secret_copies{{{CGROUP}, fenced="false"}}) or on () vector(0)',
             "PagewardenUnfencedSecret"),
        stat("Uncovered processes", "none",
             "Processes that a policy selects and that run unfenced.",
             f"sum(pagewarden_uncovered_processes{{{CGROUP}}}) or on () vector(0)",
             "PagewardenUncoveredProcesses"),
        stat("Denials in this range", "none", "Refused requests to lock memory.",
             f"sum(increase(pagewarden_memlock_denials_total{{{CGROUP}}}[$__range])) "
             "or on () vector(0)",
             "PagewardenMemlockDenied"),
        stat("Over budget", "none", "Cgroups that lock more than a MemlockBudget allows.",
             f"count(pagewarden_cgroup_budget_used_bytes{{{CGROUP}}} > "
             f"pagewarden_cgroup_budget_bytes{{{CGROUP}}}) or on () vector(0)",
             "PagewardenBudgetExceeded"),
        stat("Broken policies", "none", "Hosts whose last reload failed; they keep the old set.",
             f"count(pagewarden_config_last_reload_successful{{{HOST}}} == 0) or on () vector(0)",
             "PagewardenPolicyReloadFailed"),
    ],
    "Locked memory": [
        panel("Locked, by cgroup", "bytes",
              "mlock, MAP_LOCKED and memfd_secret of each cgroup's own processes; the twenty most.",
              (f"topk(20, pagewarden_cgroup_locked_bytes{{{CGROUP}}})",
               "{{instance}} {{cgroup}}")),
        panel("Highest ever locked, by cgroup", "bytes",
              "The peak of each cgroup since its beginning, over restarts of the agent.",
              (f"topk(20, pagewarden_cgroup_locked_peak_bytes{{{CGROUP}}})",
               "{{instance}} {{cgroup}}")),
        panel("Use of the memlock limit", "percentunit",
              "The worst process of each cgroup: its locked bytes by its soft RLIMIT_MEMLOCK.",
              (f"topk(20, pagewarden_cgroup_memlock_usage_max_ratio{{{CGROUP}}})",
               "{{instance}} {{cgroup}}"), runbook="PagewardenMemlockLimitNear"),
        panel("Use of budgets", "percentunit",
              "What a budget's processes have locked, by its limit.",
              (f"topk(20, pagewarden_cgroup_budget_used_bytes{{{CGROUP}}} / "
               f"pagewarden_cgroup_budget_bytes{{{CGROUP}}})",
               "{{instance}} {{cgroup}} {{policy}}"), runbook="PagewardenBudgetNear"),
        panel("Recommended limit", "bytes",
              "LimitMEMLOCK= that each cgroup needs, from its peaks, with headroom.",
              (f"topk(20, pagewarden_cgroup_recommended_limit_bytes{{{CGROUP}}})",
               "{{instance}} {{cgroup}}")),
        panel("Locked and pinned, by host", "bytes",
              "Two counters of the kernel that may count the same page: do not add them.",
              (f"sum by (instance) (pagewarden_cgroup_locked_bytes{{{CGROUP}}})",
               "{{instance}} locked"),
              (f"sum by (instance) (pagewarden_cgroup_pinned_bytes{{{CGROUP}}})",
               "{{instance}} pinned")),
        panel("Denials", "ops", "Refused requests to lock memory, by reason.",
              (f"sum by (instance, cgroup, reason) "
               f"(rate(pagewarden_memlock_denials_total{{{CGROUP}}}[$__rate_interval]))",
               "{{instance}} {{cgroup}} {{reason}}"), width=24, runbook="PagewardenMemlockDenied"),
    ],
    "The fence": [
        panel("Fenced processes", "none", "Processes with the shim active, by policy and mode.",
              (f"sum by (policy, mode) (pagewarden_shim_processes{{{HOST}}})",
               "{{policy}} {{mode}}")),
        panel("Uncovered processes", "none", "Selected and not fenced, by reason.",
              (f"sum by (policy, reason) (pagewarden_uncovered_processes{{{CGROUP}}})",
               "{{policy}} {{reason}}"), runbook="PagewardenUncoveredProcesses"),
        panel("Tagged allocations", "ops", "Allocations that were moved into arenas.",
              (f"sum by (policy, rule) "
               f"(rate(pagewarden_tagged_allocations_total{{{HOST}}}[$__rate_interval]))",
               "{{policy}} {{rule}}")),
        panel("Arenas", "bytes", "What they hold, what they could, what of it is locked.",
              (f"sum by (policy) (pagewarden_arena_used_bytes{{{HOST}}})", "{{policy}} used"),
              (f"sum by (policy) (pagewarden_arena_capacity_bytes{{{HOST}}})",
               "{{policy}} capacity"),
              (f"sum by (policy) (pagewarden_arena_locked_bytes{{{HOST}}})", "{{policy}} locked")),
        panel("Copies of secrets", "none", "Found at the last check: fenced, not fenced, locked where they are.",
              (f"sum by (policy, fenced) (pagewarden_secret_copies{{{CGROUP}}})",
               "{{policy}} fenced={{fenced}}"),
              (f"sum by (policy) (pagewarden_secret_pinned_copies{{{CGROUP}}})",
               "{{policy}} pinned"), runbook="PagewardenUnfencedSecret"),
        panel("Left in ordinary memory", "ops", "Tagged allocations that found no locked room.",
              (f"sum by (policy, reason) "
               f"(rate(pagewarden_arena_fallbacks_total{{{HOST}}}[$__rate_interval])) "
               "or on () vector(0)",
               "{{policy}} {{reason}}"), runbook="PagewardenUnlockedSecrets"),
    ],
    "Policies and agents": [
        panel("Hosts by version of a policy", "none",
              "Two versions of one policy: a rollout on its way, or stuck.",
              (f"count by (policy, hash) (pagewarden_policy_info{{{HOST}}})",
               "{{policy}} {{hash}}"),
              runbook="PagewardenPolicySpread"),
        panel("Time of an audit", "s", "The 99th percentile of its duration.",
              (f"histogram_quantile(0.99, sum by (instance, le) "
               f"(rate(pagewarden_scan_duration_seconds_bucket{{{HOST}}}[$__rate_interval])))",
               "{{instance}}")),
        panel("Agents: processor", "percentunit", "Share of one core.",
              (f"rate(process_cpu_seconds_total{{{HOST}}}[$__rate_interval])", "{{instance}}")),
        panel("Agents: memory", "bytes", "Resident.",
              (f"process_resident_memory_bytes{{{HOST}}}", "{{instance}}")),
        panel("Cgroups shown and folded", "none",
              "Folded ones are summed in cgroup=\"__other__\" (--max-cgroups).",
              (f"pagewarden_cgroups_tracked{{{HOST}}}", "{{instance}} shown"),
              (f"pagewarden_cgroups_folded{{{HOST}}}", "{{instance}} folded")),
        panel("Lost events and failed reads", "ops", "What the other figures do not contain.",
              (f"sum by (instance, source) "
               f"(rate(pagewarden_events_lost_total{{{HOST}}}[$__rate_interval])) "
               "or on () vector(0)",
               "{{instance}} lost {{source}}"),
              (f"sum by (instance, reason) "
               f"(rate(pagewarden_scan_errors_total{{{HOST}}}[$__rate_interval])) "
               "or on () vector(0)",
               "{{instance}} errors {{reason}}"), runbook="PagewardenEventsLost"),
    ],
}

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def query_variable(name, label, query):
    return {"name": name, "label": label, "type": "query", "datasource": DATASOURCE,
            "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "multi": True,
            "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}


def render(spec, number, x, y):
    shown = {
        "id": number, "type": spec["kind"], "title": spec["title"],
        "description": spec["description"], "datasource": DATASOURCE,
        "gridPos": {"h": 4 if spec["kind"] == "stat" else 8, "w": spec["width"], "x": x, "y": y},
        "fieldConfig": {"defaults": {"unit": spec["unit"], "min": 0}, "overrides": []},
        "targets": [{"refId": chr(ord("A") + i), "expr": expression, "legendFormat": legend,
                     "datasource": DATASOURCE, "instant": spec["kind"] == "stat"}
                    for i, (expression, legend) in enumerate(spec["targets"])],
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if spec["kind"] == "stat" else
                   {"legend": {"displayMode": "table", "placement": "bottom", "calcs": ["last"]},
                    "tooltip": {"mode": "multi", "sort": "desc"}},
    }
    if spec["runbook"]:
        shown["links"] = [{"title": f"Runbook: {spec['runbook']}", "targetBlank": True,
                           "url": f"${{runbooks}}/{spec['runbook']}.md"}]
    return shown


def panels():
    number, y = 1, 0
    for title, specs in ROWS.items():
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
               "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}}
        number, x, y = number + 1, 0, y + 1
        height = 0
        for spec in specs:
            if x + spec["width"] > 24:
                x, y = 0, y + height
            shown = render(spec, number, x, y)
            yield shown
            number, x, height = number + 1, x + spec["width"], shown["gridPos"]["h"]
        y += height


def dashboard():
    return {
        "uid": "pagewarden", "title": "Pagewarden", "tags": ["pagewarden"], "editable": False,
        "schemaVersion": 38, "version": 1, "refresh": "1m", "timezone": "utc",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "label": "Data source", "type": "datasource",
             "query": "prometheus", "current": {}},
            query_variable("job", "Job", "label_values(pagewarden_build_info, job)"),
            query_variable("instance", "Host",
                           'label_values(pagewarden_build_info{job=~"$job"}, instance)'),
            query_variable("cgroup", "Cgroup",
                           f"label_values(pagewarden_cgroup_locked_bytes{{{HOST}}}, cgroup)"),
            {"name": "runbooks", "label": "Runbooks", "type": "constant", "query": RUNBOOKS,
             "hide": 2, "current": {"text": RUNBOOKS, "value": RUNBOOKS}},
        ]},
        "links": [{"title": "Other dashboards of Pagewarden", "type": "dashboards",
                   "tags": ["pagewarden"]}],
        "annotations": {"list": []},
        "panels": list(panels()),
    }


if __name__ == "__main__":
    json.dump(dashboard(), sys.stdout, indent=1)
    print()
