"""Validates objects by models in TypeScript: custom resources of operators, and dashboards of Grafana."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from .report import ROOT

FOLDER = ROOT / "deploy/checks"
MODULES = {
    "PrometheusRule": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
    "ServiceMonitor": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
    "ScaledObject": "@kubernetes-models/keda/keda.sh/v1alpha1",
    "TriggerAuthentication": "@kubernetes-models/keda/keda.sh/v1alpha1",
}
# The types of Grafana have enums, to which TypeScript does not assign the strings that JSON has.
PLAIN = "type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;"
OPTIONS = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext"]


def node(*arguments, text=None):
    """Runs a program of Node in the folder of the packages."""
    path = f"{ROOT}/.tools/node/bin:{os.environ['PATH']}"
    return subprocess.run(["node", *arguments], cwd=FOLDER, input=text, capture_output=True, text=True,
                          env={**os.environ, "PATH": path}, check=False)


def type_of(kind, number):
    return f"Plain<T{number}>" if kind == "Dashboard" else f"T{number}"


def type_faults(objects):
    """The faults that the TypeScript compiler finds, above all unknown members. Takes a list of triples: what the
    object is, the import of its type with that type, and the object."""
    lines, subjects = [PLAIN], {}
    for number, (subject, (module, kind), value) in enumerate(objects):
        lines.append(f'import type {{ {kind} as T{number} }} from "{module}";')
        subjects[number] = subject
    first = len(lines)
    for number, (_, _, value) in enumerate(objects):
        lines.append(f"export const v{number}: {type_of(kind, number)} = {json.dumps(value)};")
    with tempfile.NamedTemporaryFile("w", suffix=".ts", dir=FOLDER) as file:
        file.write("\n".join(lines))
        file.flush()
        ended = node("node_modules/typescript/bin/tsc", *OPTIONS, file.name)
    if ended.returncode == 0:
        return []
    faults = []
    for line in (ended.stdout + ended.stderr).splitlines():
        place, _, message = line.partition("): ")
        row = place.rpartition("(")[2].split(",")[0]
        subject = subjects.get(int(row) - 1 - first, "") if row.isdigit() else ""
        faults.append(f"{subject}: {message}" if subject and message else line)
    return faults


def is_custom(one):
    """Whether an object is of a kind that an operator defines."""
    return one["apiVersion"].split("/")[0] in ("keda.sh", "monitoring.coreos.com")


def resource_faults(objects):
    """The faults of custom resources, by their models and their types."""
    custom = [one for one in objects if is_custom(one)]
    ended = node("custom_resources.mjs", text="\n".join(map(json.dumps, custom)))
    faults = ended.stdout.splitlines()
    if ended.returncode != 0:
        faults.append(f"custom_resources.mjs ended with {ended.returncode}: {ended.stderr.strip()}")
    known = [one for one in custom if one["kind"] in MODULES]
    return faults + type_faults([
        (f"{one['kind']} {one['metadata']['name']}", (MODULES[one["kind"]], "I" + one["kind"]), one) for one in known
    ])
