"""A Prometheus that scrapes processes of the broker every two seconds, with deploy/monitoring/rules.yaml."""

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from stack import ROOT, Process, free_port, get, wait_for

PROGRAM = ROOT / ".tools/prometheus/root/usr/bin/prometheus"
NAMESPACE = "uploads"


class Prometheus:
    def __init__(self, folder: Path, ports: list[int]):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        config = {
            "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"},
            "rule_files": [str(ROOT / "deploy/monitoring/rules.yaml")],
            "scrape_configs": [{
                "job_name": "upload-broker",
                "static_configs": [{
                    "targets": [f"127.0.0.1:{port}" for port in ports], "labels": {"namespace": NAMESPACE},
                }],
            }],
        }
        (folder / "prometheus.yaml").write_text(json.dumps(config))
        self.process = Process([
            PROGRAM, f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/prometheus",
            f"--web.listen-address=127.0.0.1:{port}",
        ], folder / "prometheus.log")
        wait_for("Prometheus", lambda: get(f"{self.url}/-/ready") == 200)

    def ask(self, path: str, **parameters: str):
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(f"{json.load(error)['error']}, in {parameters}") from None

    def query(self, expression: str) -> list[dict]:
        return self.ask("query", query=expression)["result"]

    def value(self, expression: str) -> float:
        """The value of the only series of an expression; 0 if there is none yet."""
        found = self.query(expression)
        assert len(found) < 2, found
        return float(found[0]["value"][1]) if found else 0.0

    def series_names(self) -> set[str]:
        return set(self.ask("label/__name__/values"))

    def rules(self) -> list[dict]:
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]

    def alerts(self) -> set[str]:
        """The names of the alerts whose expression holds. Most of them fire only if it holds for minutes."""
        return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"]}
