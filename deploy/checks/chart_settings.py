"""Compares the settings that the chart names with the table of all settings.

`--write` writes the parts of values.schema.json that come from the table: with them, Helm refuses a
misspelled setting, and a secret among the settings, before anything is installed.
"""

import json
import re
import sys

from lib.helm import CHART, refusal, render, variants
from lib.report import Report
from lib.settings_table import OF_THE_CHART, TABLE, plain, secrets, settings

SCHEMA = CHART / "values.schema.json"
ANY_SETTING = re.compile(r"\b(?:BROKER|AWS)_[A-Z0-9_]+\b|\bDATABASE_URL\b|\bRUST_LOG\b")
VALUE = {"type": ["string", "number", "boolean"]}


def with_settings(schema):
    """The schema with the settings of the table."""
    made = json.loads(json.dumps(schema))
    made["properties"]["settings"]["properties"] = dict.fromkeys(plain(), VALUE)
    made["properties"]["secretSettings"]["properties"] = dict.fromkeys(secrets(), {"$ref": "#/$defs/secretSetting"})
    return made


def schema_faults(schema):
    """How the schema differs from the table."""
    faults = []
    for part in ("settings", "secretSettings"):
        right = with_settings(schema)["properties"][part]["properties"]
        found = schema["properties"][part]["properties"]
        for name in sorted(set(right) - set(found)):
            faults.append(f"{SCHEMA.name}: {part} lacks {name}; run {sys.argv[0]} --write")
        for name in sorted(set(found) - set(right)):
            faults.append(f"{SCHEMA.name}: {part} has {name}, which {TABLE} does not allow there; run {sys.argv[0]} --write")
    return faults


def unknown_names(files):
    """The names in the text of the chart that have the form of settings and are none."""
    known = settings()
    faults = []
    for file, text in files.items():
        for name in sorted(set(ANY_SETTING.findall(text)) - set(known)):
            faults.append(f"{file}: {name} is no setting of {TABLE}")
    return faults


def unknown_environment(objects):
    """The variables of containers and of the ConfigMap of settings that are no settings."""
    known = settings()
    faults = []
    for one in objects:
        where = f"{one['kind']} {one['metadata']['name']}"
        names = list(one.get("data", {})) if one["kind"] == "ConfigMap" else []
        for name in names:
            if name.isupper() and name not in known:
                faults.append(f"{where}: {name} is no setting")
        template = one.get("spec", {}).get("template", {}) if one["kind"] in ("Deployment", "Job") else one
        for container in (template.get("spec") or {}).get("containers", []):
            for variable in container.get("env", []):
                name = variable["name"]
                if name.startswith(("BROKER_", "AWS_")) and name not in known:
                    faults.append(f"{where}: {name} is no setting")
                if known.get(name) == "Secret" and "value" in variable:
                    faults.append(f"{where}: {name} is a secret and stands in the Deployment; use secretSettings")
    return faults


def chart_texts():
    """The files of the chart that name settings."""
    files = [CHART / "values.yaml", SCHEMA, *sorted((CHART / "templates").iterdir()), *variants()]
    return {str(file.relative_to(CHART)): file.read_text() for file in files}


def main():
    schema = json.loads(SCHEMA.read_text())
    if sys.argv[1:] == ["--write"]:
        SCHEMA.write_text(json.dumps(with_settings(schema), indent=2) + "\n")
        return
    report = Report("settings of the chart")
    report.check("every setting of the chart's own is in the table",
                 [f"{name} is no setting of {TABLE}" for name in sorted(set(OF_THE_CHART) - set(settings()))])
    report.check("the schema has the settings of the table", schema_faults(schema))
    report.check("every named setting exists", unknown_names(chart_texts()))
    for values in variants():
        report.check(f"{values.stem}: every variable of a container exists", unknown_environment(render(values)))

    broken = json.loads(json.dumps(schema))
    del broken["properties"]["settings"]["properties"]["BROKER_S3_BUCKET"]
    report.refuses("a schema without a setting", schema_faults(broken), "lacks BROKER_S3_BUCKET")
    broken["properties"]["settings"]["properties"]["BROKER_TOKEN_SECRET"] = VALUE
    report.refuses("a schema with a secret among the settings", schema_faults(broken), "has BROKER_TOKEN_SECRET")
    report.refuses("a name that is no setting", unknown_names({"a.yaml": "BROKER_BINDS"}), "a.yaml: BROKER_BINDS")
    objects = render(variants()[0])
    container = next(one for one in objects if one["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0]
    container["env"] += [{"name": "BROKER_ROLE", "value": "http"}, {"name": "BROKER_TOKEN_SECRET", "value": "x"}]
    report.refuses("a variable that is no setting", unknown_environment(objects), "BROKER_ROLE is no setting")
    report.refuses("a secret in a Deployment", unknown_environment(objects), "BROKER_TOKEN_SECRET is a secret")
    minimal = CHART / "ci/minimal-values.yaml"
    for name in ("BROKER_S3_BUKET", "BROKER_ROLES", "BROKER_TOKEN_SECRET", "AWS_SECRET_ACCESS_KEY"):
        report.refuses(f"{name} among the settings", refusal(minimal, "--set", f"settings.{name}=x"), name)
    report.refuses("BROKER_MIGRATE in extraEnv", refusal(
        minimal, "--set", "extraEnv[0].name=BROKER_MIGRATE,extraEnv[0].value=true"), "extraEnv")
    report.finish()


if __name__ == "__main__":
    main()
