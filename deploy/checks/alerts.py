"""Checks the rules for Prometheus, their tests, the runbook and the example for Alertmanager."""

import functools
import json
import re
import subprocess
import tempfile
from pathlib import Path

import yaml

from lib.helm import CHART, render
from lib.metrics_table import expression_faults, label_values, metrics
from lib.pods import of_kind
from lib.report import ROOT, Report

FOLDER = ROOT / "deploy/monitoring"
RULES = FOLDER / "rules.yaml"
TESTS = sorted((FOLDER / "tests").glob("*.yaml"))
RUNBOOK = ROOT / "docs/src/guides/operators/runbook.md"
PROGRAMS = ROOT / ".tools/prometheus/root/usr/bin"


def load(text):
    return yaml.load(text, yaml.CSafeLoader)


def run(program, *arguments):
    """The faults that promtool or amtool prints; none if it accepts its files."""
    ended = subprocess.run([PROGRAMS / program, *arguments], capture_output=True, text=True, check=False)
    text = (ended.stdout + ended.stderr).strip()
    # promtool 2.42 reports some faults with the code 0.
    return [text] if ended.returncode != 0 or "FAILED" in text else []


def with_text(program, command, text, *options):
    """The faults of a changed file."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        return run(program, *command, file.name, *options)


def alerts(rules):
    """The alerts by their names."""
    return {rule["alert"]: rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule}


@functools.cache
def all_tests():
    """The tests of all files."""
    return [one for file in TESTS for one in load(file.read_text())["tests"]]


def tests_of(alert, kind):
    """The tests in which an alert fires or is silent."""
    start = f"{alert} {'fires' if kind == 'fires' else 'is silent'} - "
    return [one for one in all_tests() if one["name"].startswith(start)]


def coverage_faults(names):
    """Each alert has both kinds of tests, which ask for what they say; no test is of another alert."""
    faults = []
    for alert in names:
        for kind in ("fires", "silent"):
            found = tests_of(alert, kind)
            if not found:
                faults.append(f"{alert}: no test in which it {kind if kind == 'fires' else 'is silent'}")
            for test in found:
                for expected in test["promql_expr_test"]:
                    if f'"{alert}"' not in expected["expr"] or bool(expected["exp_samples"]) != (kind == "fires"):
                        faults.append(f"{test['name']}: does not expect what its name says")
    known = {test["name"].split(" ")[0] for test in all_tests()}
    return faults + [f"{name}: has tests, but there is no such alert" for name in sorted(known - set(names))]


def run_tests(rules, tests):
    """The faults of some tests with these rules."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rules.yaml").write_text(json.dumps(rules))
        file = Path(folder) / "test.yaml"
        file.write_text(json.dumps({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}))
        return run("promtool", "test", "rules", str(file))


def with_alert(alert, **changes):
    """The rules with a changed alert."""
    rules = load(RULES.read_text())
    alerts(rules)[alert].update(changes)
    return rules


def unnoticed(names, kind, expression):
    """The tests of one kind that pass although all alerts have this expression."""
    rules = load(RULES.read_text())
    for rule in alerts(rules).values():
        rule.update({"expr": expression, "for": "0m"})
    tests = [test for name in names for test in tests_of(name, kind)]
    text = " ".join(run_tests(rules, tests)).replace('\\"', '"')
    return [f"{name}: passes with {expression}" for name in names if f'alertname="{name}"' not in text]


def runbook_faults(names, text):
    """Each alert has a section of its name, which says what it means and what to do; and the reverse."""
    sections = dict(re.findall(r"^### (UploadBroker\w+)\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL))
    faults = [f"{RUNBOOK.name}: no section ### {name}" for name in names if name not in sections]
    for name, section in sections.items():
        if name not in names:
            faults.append(f"{RUNBOOK.name}: {name} is no alert of {RULES.name}")
        for part in ("**Meaning.**", "**Check.**", "**Do.**"):
            if part not in section:
                faults.append(f"{RUNBOOK.name}: the section {name} has no {part}")
    return faults


def rule_faults(rules, known, values):
    """The names in the rules that do not exist, and alerts without what the operator needs."""
    faults, recorded = [], {rule["record"] for group in rules["groups"] for rule in group["rules"] if "record" in rule}
    for group in rules["groups"]:
        for rule in group["rules"]:
            name = rule.get("alert") or rule["record"]
            faults += expression_faults(name, rule["expr"], known, values)
            for used in set(re.findall(r"\bupload_broker:[a-z0-9_:]+", rule["expr"])) - recorded:
                faults.append(f"{name}: no rule records {used}")
            if "alert" in rule and rule["labels"].get("severity") not in ("critical", "warning", "info"):
                faults.append(f"{name}: severity must be critical, warning or info")
            if "alert" in rule and set(rule["annotations"]) != {"summary", "description"}:
                faults.append(f"{name}: must have the annotations summary and description")
    return faults


def chart_faults(objects, rules):
    """The PrometheusRule of the chart has exactly these rules, and a link for each alert."""
    made = of_kind(objects, "PrometheusRule")[0]["spec"]
    found = alerts(made)
    faults = []
    for name, rule in alerts(rules).items():
        link = found.get(name, {}).get("annotations", {}).pop("runbook_url", "")
        if not link.endswith(f"/runbook.html#{name.lower()}"):
            faults.append(f"PrometheusRule: {name} has no link to its section of the runbook")
    return faults + ([] if made["groups"] == rules["groups"] else [f"PrometheusRule: differs from {RULES.name}"])


def trigger_faults(objects, known, values):
    """The names in the query of KEDA that do not exist: it would find no jobs, and start no workers."""
    queries = [(one["metadata"]["name"], trigger["metadata"]["query"]) for one in of_kind(objects, "ScaledObject")
               for trigger in one["spec"]["triggers"]]
    return [fault for name, query in queries for fault in expression_faults(f"ScaledObject {name}", query, known, values)]


def route_faults(config, receivers):
    """Who gets an alert of each severity."""
    faults = []
    for severity, receiver in receivers.items():
        faults += run("amtool", "config", "routes", "test", f"--config.file={config}", f"--verify.receivers={receiver}",
                      "alertname=UploadBrokerErrors", f"severity={severity}")
    return faults


def main():
    report = Report("alerts")
    rules = load(RULES.read_text())
    names = alerts(rules)
    known, values = metrics(), label_values()
    report.check("promtool accepts the rules", run("promtool", "check", "rules", RULES))
    report.check("every metric, label and value exists", rule_faults(rules, known, values))
    for file in TESTS:
        report.check(f"tests of {file.stem}", run("promtool", "test", "rules", file))
    report.check("each alert has a test in which it fires and one in which it is silent", coverage_faults(names))
    report.check("each alert has a section in the runbook", runbook_faults(names, RUNBOOK.read_text()))
    report.check("the chart has the same rules", chart_faults(render(CHART / "ci/eks-values.yaml"), rules))
    scaled = render(CHART / "ci/processing-values.yaml")
    report.check("the query of KEDA names what exists", trigger_faults(scaled, known, values))
    for file in ("rules.yaml", "dashboard.json"):
        right = CHART / "files" / file
        report.check(f"{file} is a link to the file of the chart", [] if (FOLDER / file).resolve() == right else [
            f"{FOLDER / file}: is no link to {right}, so that the two may differ"])
    alertmanager = FOLDER / "alertmanager.yaml"
    report.check("amtool accepts the example for Alertmanager", run("amtool", "check-config", alertmanager))
    right = {"critical": "on-call", "warning": "messages", "info": "collected"}
    report.check("alerts reach the receiver of their severity", route_faults(alertmanager, right))

    report.check("each test notices an alert that never fires", unnoticed(names, "fires", "vector(0) > 1"))
    report.check("each test notices an alert that always fires", unnoticed(names, "silent", "vector(1)"))
    text = RULES.read_text()
    report.refuses("rules that are no PromQL", with_text(
        "promtool", ["check", "rules"], text.replace("absent(", "absentt(")), "unknown function")
    report.refuses("a metric that does not exist", rule_faults(with_alert(
        "UploadBrokerOverloaded", expr="upload_broker_http_requests_shedded_total > 0"), known, values), "no series")
    report.refuses("a label that does not exist", rule_faults(with_alert(
        "UploadBrokerOverloaded", expr='upload_broker_http_requests_shed_total{kind="x"} > 0'), known, values), "no label")
    report.refuses("a value that no label has", rule_faults(with_alert(
        "UploadBrokerSweepFailed", expr='upload_broker_sweeps_total{outcome="broken"} > 0'), known, values), "'broken'")
    report.refuses("a grouping by a label that does not exist", rule_faults(with_alert(
        "UploadBrokerSweepFailed", expr="sum by (result) (upload_broker_sweeps_total) > 0"), known, values), "label result")
    of_kind(scaled, "ScaledObject")[0]["spec"]["triggers"][0]["metadata"]["query"] = "sum(upload_broker_jobs_waiting)"
    report.refuses("a query of KEDA for a metric that does not exist", trigger_faults(scaled, known, values), "no series")
    report.refuses("an alert without tests", coverage_faults([*names, "UploadBrokerOther"]), "UploadBrokerOther: no test")
    report.refuses("an alert without a section", runbook_faults([*names, "UploadBrokerOther"], RUNBOOK.read_text()), "no section")
    report.refuses("a chart with other rules", chart_faults(
        render(CHART / "ci/eks-values.yaml"), with_alert("UploadBrokerErrors", **{"for": "1m"})), "differs")
    broken = alertmanager.read_text().replace("receiver: on-call", "receiver: on-kall")
    report.refuses("a route to no receiver", with_text("amtool", ["check-config"], broken), "on-kall")
    report.refuses("a route to another receiver", route_faults(alertmanager, {"info": "on-call"}), "did not match")
    report.finish()


if __name__ == "__main__":
    main()
