"""The metrics of the broker with their labels, as `src/telemetry/metrics/` declares them, and the metrics, labels
and values that expressions of Prometheus name."""

import re

from .report import ROOT

FOLDER = ROOT / "src/telemetry/metrics"
# A name of a metric, followed by its help, which is a sentence.
DECLARED = re.compile(r'\b(counters?(?:_from_zero)?|int_gauges?|gauges?|histograms?|gauge|info)\(\s*(?:registry,\s*)?'
                      r'"([a-z0-9_]+)",\s*"[^"]*\.",?\s*((?:&\[[^\]]*\]|"[a-z_]+"|version)?)')
NAME = re.compile(r"\bupload_broker_[a-z0-9_]+\b")
SELECTOR = re.compile(r"\b(upload_broker_[a-z0-9_]+)\s*\{([^}]*)\}")
MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\bby\s*\(([^)]*)\)")
# What Prometheus, the chart or the format of histograms adds.
ADDED = {"le", "namespace", "instance", "job", "pod", "component", "container", "service", "endpoint"}


def metrics():
    """The name of each series, with its labels."""
    found = {}
    for file in sorted(FOLDER.glob("*.rs")):
        if file.name == "tests.rs":
            continue
        for kind, name, rest in DECLARED.findall(file.read_text()):
            labels = {"version"} if kind == "info" else set(re.findall(r'"([a-z_]+)"', rest))
            name = f"upload_broker_{name}"
            if kind.startswith("histogram"):
                for suffix in ("_bucket", "_sum", "_count"):
                    found[name + suffix] = labels
            else:
                found[name] = labels
    if len(found) < 60:
        raise SystemExit(f"{FOLDER}: only {len(found)} series found; adapt the pattern in {__file__}")
    return found


def label_values():
    """All texts in the code, among which the values of labels are."""
    return {text for file in (ROOT / "src").rglob("*.rs") for text in re.findall(r'"([^"\n]*)"', file.read_text())}


def expression_faults(where, expression, known, values):
    """The names in an expression that do not exist: Prometheus would find nothing, and say nothing."""
    faults = []
    for name in sorted(set(NAME.findall(expression))):
        if name not in known:
            faults.append(f"{where}: there is no series {name} in {FOLDER.relative_to(ROOT)}")
    for name, selector in SELECTOR.findall(expression):
        for label, operator, value in MATCHER.findall(selector):
            if label not in known.get(name, {label}) | ADDED:
                faults.append(f"{where}: {name} has no label {label}; it has {sorted(known[name]) or 'none'}")
            elif label not in ADDED and "$" not in value:
                parts = value.split("|") if "~" in operator else [value]
                faults += [f"{where}: no {label} of {name} is {part!r}" for part in parts
                           if part not in values and part not in ("4xx", "5xx", "2xx", ".*", ".+")]
    used = [known[name] for name in NAME.findall(expression) if name in known]
    labels = ADDED.union(*used)
    for grouping in GROUPING.findall(expression):
        for label in filter(None, map(str.strip, grouping.split(","))):
            if used and label not in labels:
                faults.append(f"{where}: no series of this expression has the label {label}")
    return faults
