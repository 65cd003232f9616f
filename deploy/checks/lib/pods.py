"""Reads pods, and what they refer to, out of rendered objects."""

import yaml

from .report import ROOT


def name(one):
    """What an object is called in faults."""
    return f"{one['kind']} {one['metadata']['name']}"


def of_kind(objects, *kinds):
    return [one for one in objects if one["kind"] in kinds]


def template(one):
    """The pod of an object, as metadata and spec; None if it has none."""
    if one["kind"] in ("Deployment", "Job"):
        return one["spec"]["template"]
    return one if one["kind"] == "Pod" else None


def containers(one):
    return template(one)["spec"].get("containers", []) + template(one)["spec"].get("initContainers", [])


def variable(container, wanted):
    """The value of a variable of a container, or None."""
    found = [one.get("value") for one in container.get("env", []) if one["name"] == wanted]
    return found[-1] if found else None


def references(one):
    """The objects that a pod cannot start without, as kind and name."""
    spec = template(one)["spec"]
    found = {("ServiceAccount", spec.get("serviceAccountName", "default"))}
    for volume in spec.get("volumes", []):
        if "configMap" in volume:
            found.add(("ConfigMap", volume["configMap"]["name"]))
        if "secret" in volume:
            found.add(("Secret", volume["secret"]["secretName"]))
    for container in containers(one):
        for source in container.get("envFrom", []):
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            found.add((kind, source["configMapRef" if kind == "ConfigMap" else "secretRef"]["name"]))
        for entry in container.get("env", []):
            source = entry.get("valueFrom", {})
            if "configMapKeyRef" in source:
                found.add(("ConfigMap", source["configMapKeyRef"]["name"]))
            if "secretKeyRef" in source:
                found.add(("Secret", source["secretKeyRef"]["name"]))
    return found


def hook(one):
    """The events of Helm that make an object, and its weight; no events for an object of the release itself."""
    annotations = one["metadata"].get("annotations", {})
    events = [event.strip() for event in annotations.get("helm.sh/hook", "").split(",") if event.strip()]
    return events, int(annotations.get("helm.sh/hook-weight", "0"))


def selects(selector, labels):
    """Whether a selector (labels, or matchLabels and matchExpressions) selects these labels."""
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        selector = {"matchLabels": selector}
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", []):
        inside = labels.get(rule["key"]) in rule.get("values", [])
        if {"In": inside, "NotIn": not inside, "Exists": rule["key"] in labels}[rule["operator"]] is False:
            return False
    return True


def public_paths():
    """The paths of the API that need no credential, by openapi.yaml."""
    document = yaml.load((ROOT / "openapi.yaml").read_text(), yaml.CSafeLoader)
    return {path for path, item in document["paths"].items()
            if item.get("get", {}).get("security", document.get("security")) in ([], [{}])}
