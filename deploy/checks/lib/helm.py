"""Renders the Helm chart."""

import os
import re
import subprocess
from pathlib import Path

import yaml

from .report import ROOT

CHART = ROOT / "deploy/helm/upload-broker"
HELM = ROOT / ".tools/kubernetes/bin/helm"
RELEASE, NAMESPACE = "production", "uploads"


class Refused(Exception):
    """Helm does not accept the chart or its values."""


def variants(chart=CHART):
    """The values files of `ci`, each of which is one way to use the chart."""
    return sorted((chart / "ci").glob("*-values.yaml"))


def helm(*arguments):
    """Runs Helm, without any cluster or configuration of the user."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "HELM_CACHE_HOME": "/nonexistent",
                   "HELM_CONFIG_HOME": "/nonexistent", "HELM_DATA_HOME": "/nonexistent", "KUBECONFIG": "/dev/null"}
    ended = subprocess.run([HELM, *arguments], capture_output=True, text=True, env=environment, check=False)
    if ended.returncode != 0:
        raise Refused((ended.stderr + ended.stdout).strip())
    return ended.stdout


def lint(values, chart=CHART):
    """The faults that `helm lint --strict` reports, which also checks the values by their schema."""
    try:
        helm("lint", "--strict", "--quiet", "--values", values, chart)
    except Refused as fault:
        return [f"{Path(values).name}: {fault}"]
    return []


def render(values, *options, chart=CHART, kube_version=None, release=RELEASE):
    """The objects of a release."""
    if kube_version:
        options = ("--kube-version", kube_version, *options)
    text = helm("template", release, chart, "--namespace", NAMESPACE, "--values", values, *options)
    return [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]


def refusal(values, *options, chart=CHART):
    """Why the values are refused, as a list that is empty if they are accepted."""
    try:
        render(values, *options, chart=chart)
    except Refused as fault:
        return [re.sub(r"\s+", " ", str(fault))]
    return []
