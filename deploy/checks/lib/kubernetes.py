"""Validates objects by the schemas of Kubernetes itself."""

import kubernetes_validate

from .custom_resources import is_custom

OLDEST, NEWEST = "1.27", "1.37"


def schema_faults(objects):
    """The faults of objects in the oldest supported and the newest version, including unknown members."""
    faults = []
    for one in objects:
        if is_custom(one):
            continue
        for version in (OLDEST, NEWEST):
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.ValidationError as fault:
                path = ".".join(map(str, fault.path))
                faults.append(f"{one['kind']} {one['metadata']['name']}, Kubernetes {version}: {path}: {fault.message}")
            except (kubernetes_validate.InvalidSchemaError, kubernetes_validate.SchemaNotFoundError) as fault:
                faults.append(f"{one['kind']} {one['metadata']['name']}, Kubernetes {version}: no schema: {fault}")
    return faults


def version_faults(chart_text):
    """Whether Chart.yaml names the oldest version that is validated."""
    right = f'kubeVersion: ">={OLDEST}.0-0"'
    return [] if right in chart_text else [f"Chart.yaml: has no line {right}, the oldest version that is checked"]
