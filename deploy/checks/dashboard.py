"""Checks the dashboard for Grafana: its schema, its data source, its queries, and the copy in the chart."""

import copy
import json
import re
import subprocess
import tempfile

from lib.custom_resources import type_faults
from lib.helm import CHART, render
from lib.metrics_table import expression_faults, label_values, metrics
from lib.report import ROOT, Report

FILE = ROOT / "deploy/monitoring/dashboard.json"
PROMTOOL = ROOT / ".tools/prometheus/root/usr/bin/promtool"
SCHEMA = ("@grafana/schema", "Dashboard")
VARIABLE = {"type": "prometheus", "uid": "${datasource}"}


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def schema_faults(dashboard):
    """The faults that the types of Grafana find, above all unknown members."""
    return type_faults([("dashboard", SCHEMA, dashboard)])


def source_faults(dashboard):
    """The data source is a variable everywhere: a dashboard with one fixed source works in one Grafana only."""
    faults = []
    text = json.dumps(dashboard)
    if {"name": "datasource", "type": "datasource", "query": "prometheus"}.items() - {
            (key, str(value)) for one in dashboard["templating"]["list"] if one["name"] == "datasource"
            for key, value in one.items()}:
        faults.append("templating: has no variable `datasource` that lists the Prometheus servers")
    for panel in panels(dashboard):
        for where in (panel, *panel["targets"]):
            if where.get("datasource") != VARIABLE:
                faults.append(f"panel {panel['title']}: its datasource must be {json.dumps(VARIABLE)}")
    for word in ("__inputs", "DS_PROMETHEUS"):
        if word in text:
            faults.append(f"{word}: is replaced at an import by hand only, and not by provisioning")
    return faults


def layout_faults(dashboard):
    """No panel covers another or is wider than the page; ids and titles are unique."""
    faults, cells = [], {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            faults.append(f"panel {panel['title']}: is wider than the page, which has 24 columns")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if other := cells.get((x, y)):
                    faults.append(f"panel {panel['title']}: covers {other}")
                cells[x, y] = panel["title"]
    for key, chosen in (("id", dashboard["panels"]), ("title", panels(dashboard))):
        values = [panel[key] for panel in chosen]
        faults += [f"two panels have the {key} {value}" for value in set(values) if values.count(value) > 1]
    faults += [f"panel {panel['title']}: has no description" for panel in panels(dashboard) if not panel.get("description")]
    return sorted(set(faults))


def query_faults(dashboard, known, values):
    """Each query is PromQL of series that exist, and respects the chosen namespace."""
    faults, rules = [], []
    queries = [(f"panel {panel['title']}", target["expr"]) for panel in panels(dashboard) for target in panel["targets"]]
    for where, query in queries:
        faults += expression_faults(where, query, known, values)
        if query.count('namespace=~"$namespace"') != len(re.findall(r"\bupload_broker_", query)):
            faults.append(f"{where}: each series must have the selector namespace=~\"$namespace\"")
        rules.append({"record": f"query:{len(rules)}", "expr": query.replace("$__rate_interval", "5m")})
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump({"groups": [{"name": "queries", "rules": rules}]}, file)
        file.flush()
        ended = subprocess.run([PROMTOOL, "check", "rules", file.name], capture_output=True, text=True, check=False)
    return faults + ([ended.stderr.strip()] if ended.returncode != 0 else [])


def unused(dashboard, known):
    """Metrics that no panel shows: an operator would not find them."""
    text = json.dumps(dashboard)
    families = {re.sub(r"_(bucket|sum|count)$", "", name) if f"{name[:-len(name.split('_')[-1])]}bucket" in known else name
                for name in known}
    ignored = {"upload_broker_sns_publish_entries_total", "upload_broker_s3_events_received_total",
               "upload_broker_janitor_checked_total", "upload_broker_janitor_removed_rows_total",
               "upload_broker_sweep_compared_total", "upload_broker_sweep_finished_timestamp_seconds",
               "upload_broker_jobs_claimed_total"}
    return [f"no panel shows {name}; add one, or add it to the ignored ones" for name in sorted(families - ignored)
            if not re.search(rf"\b{name}(_bucket|_sum|_count)?\b", text)]


def main():
    report = Report("dashboard")
    dashboard = json.loads(FILE.read_text())
    known, values = metrics(), label_values()
    report.check("the types of Grafana accept it", schema_faults(dashboard))
    report.check("the data source is a variable", source_faults(dashboard))
    report.check("panels have a place and a description", layout_faults(dashboard))
    report.check("every query is valid, and names what exists", query_faults(dashboard, known, values))
    report.check("every metric has a panel", unused(dashboard, known))
    made = [one for one in render(CHART / "ci/eks-values.yaml") if one["metadata"]["name"].endswith("-dashboard")]
    same = json.loads(made[0]["data"]["upload-broker.json"]) == dashboard
    report.check("the chart has the same dashboard", [] if same else ["the ConfigMap differs"])

    def broken(change):
        copied = copy.deepcopy(dashboard)
        change(copied, panels(copied)[0])
        return copied

    def with_query(query):
        return broken(lambda _, panel: panel["targets"][0].update(expr=query))

    report.refuses("a misspelled member", schema_faults(broken(lambda _, panel: panel.update(gridpos=1))), "gridpos")
    report.refuses("a member of another type", schema_faults(broken(lambda one, _: one.update(title=1))), "string")
    report.refuses("a fixed data source", source_faults(broken(
        lambda _, panel: panel.update(datasource={"type": "prometheus", "uid": "P18"}))), "must be")
    report.refuses("no variable for the data source", source_faults(broken(
        lambda one, _: one["templating"].update(list=[]))), "no variable")
    report.refuses("a panel over another", layout_faults(broken(lambda _, panel: panel["gridPos"].update(w=8))), "covers")
    report.refuses("two panels of one id", layout_faults(broken(lambda _, panel: panel.update(id=3))), "the id")
    selector = '{namespace=~"$namespace"}'
    for name, query, fault in (
            ("a metric that does not exist", f"sum(upload_broker_uploads_total{selector})", "no series"),
            ("a label that does not exist", f"sum by (kind) (upload_broker_build_info{selector})", "label kind"),
            ("a query of all namespaces", "sum(upload_broker_build_info)", "namespace"),
            ("a query that is no PromQL", f"sum(upload_broker_build_info{selector}", "could not parse")):
        report.refuses(name, query_faults(with_query(query), known, values), fault)
    report.finish()


if __name__ == "__main__":
    main()
