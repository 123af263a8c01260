# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus on a host of fleet_hosts, with the shipped rules made impatient."""

import json
import re

import harness
import fleet_hosts

PROMETHEUS = "/usr/bin/prometheus"
RULES = harness.ROOT / "deploy" / "prometheus"
WINDOW = "15s"
HOLD = "3s"  # for every `for:`
URL = "http://127.0.0.1:9090"

_CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ["{directory}/*.rules.yaml", "{directory}/*.alerts.yaml"]
scrape_configs:
  - job_name: pagewarden
    static_configs: [{{targets: {targets}}}]
"""


def impatient(text):
    """The rules with windows of seconds: what they ask is unchanged."""
    text = re.sub(r"(?m)^( +for:) .*$", rf"\1 {HOLD}", text)
    return re.sub(r"(\[|offset )(?:5m|10m|15m)(\]|\b)", rf"\g<1>{WINDOW}\2", text)


class Prometheus:
    def __init__(self, host, targets):
        self._host = host
        for file in RULES.glob("*.yaml"):
            if file.name.endswith((".rules.yaml", ".alerts.yaml")):
                (host.directory / file.name).write_text(
                    impatient(file.read_text(encoding="utf-8")), encoding="utf-8")
        config = host.directory / "prometheus.yml"
        config.write_text(_CONFIG.format(directory=host.directory, targets=json.dumps(targets)),
                          encoding="utf-8")
        host.output(["promtool", "check", "config", config])
        self._log = open(host.directory / "prometheus.log", "wb")
        self._process = host.start(
            [PROMETHEUS, f"--config.file={config}", "--web.listen-address=127.0.0.1:9090",
             f"--storage.tsdb.path={host.directory}/tsdb", "--log.level=warn"],
            stdout=self._log, stderr=self._log)
        if not fleet_hosts.poll(self._is_ready, 30, 0.2):
            raise harness.HarnessError(f"Prometheus does not start: {self.log()}")

    def log(self):
        return (self._host.directory / "prometheus.log").read_text(errors="replace")[-3000:]

    def close(self):
        self._process.terminate()
        self._process.wait(timeout=harness.DEADLINE_SECONDS)
        self._log.close()

    def get(self, path, **parameters):
        words = [word for name, value in parameters.items()
                 for word in ("--data-urlencode", f"{name}={value}")]
        text = self._host.output(["curl", "-sS", "--max-time", "10", "-G", *words, URL + path])
        answer = json.loads(text)
        if answer["status"] != "success":
            raise harness.HarnessError(f"{path} {parameters}: {answer}")
        return answer["data"]

    def _is_ready(self):
        if self._process.poll() is not None:
            raise harness.HarnessError(f"Prometheus ended: {self.log()}")
        try:
            return self.get("/api/v1/query", query="1")
        except (harness.HarnessError, json.JSONDecodeError):
            return False

    def query(self, promql):
        return self.get("/api/v1/query", query=promql)["result"]

    def firing(self):
        """{(alert, instance or None, cgroup or None)}."""
        return {(alert["labels"]["alertname"], alert["labels"].get("instance"),
                 alert["labels"].get("cgroup"))
                for alert in self.get("/api/v1/alerts")["alerts"] if alert["state"] == "firing"}
