"""Starts the broker's own check of settings with the environment of each container of the chart.

Takes the binary of the broker. A container that this check accepts starts with these settings: `serve` and
`worker` read them in the same way.
"""

import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from lib.helm import render, variants
from lib.pods import containers, name, of_kind, template
from lib.report import Report

# What an operator has in the Secrets and ConfigMaps that the chart only names.
SECRET = {
    "DATABASE_URL": "postgres://broker:secret@db.example.com:5432/broker?sslmode=verify-full",
    "BROKER_TOKEN_SECRET": "a-secret-of-more-than-thirty-two-bytes",
}
RULES = '[[rule]]\nprocessor = "virus-scan"\nexternal = true\n'


def environment(objects, one, container, folder):
    """The variables of a container, with the files of its volumes in `folder`."""
    maps = {found["metadata"]["name"]: found["data"] for found in of_kind(objects, "ConfigMap")}
    variables = {}
    for source in container.get("envFrom", []):
        variables |= maps[source["configMapRef"]["name"]]
    for entry in container.get("env", []):
        variables[entry["name"]] = entry.get("value", SECRET.get(entry["name"], "secret"))
    volumes = {volume["name"]: volume for volume in template(one)["spec"].get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        inside = folder / mount["mountPath"].lstrip("/")
        inside.mkdir(parents=True, exist_ok=True)
        files = maps.get(volumes[mount["name"]].get("configMap", {}).get("name"), {})
        if mount["name"] == "rules":
            files = files or {"rules.toml": RULES}
        if mount["name"].endswith("-ca"):
            # Any certificates will do: nothing is connected to.
            files = {"ca.pem": Path(ssl.get_default_verify_paths().cafile).read_text()}
        for item in volumes[mount["name"]].get("secret", {}).get("items", []):
            (inside / item["path"]).write_text("secret")
        for file, text in files.items():
            (inside / file).write_text(text)
        for key, value in variables.items():
            if value.startswith(mount["mountPath"] + "/") or value == mount["mountPath"]:
                variables[key] = str(folder / value.lstrip("/"))
    return variables


def check_settings(broker, one, container, objects, change):
    """What the broker says against the settings of one container; None if it accepts them."""
    with tempfile.TemporaryDirectory() as folder:
        variables = environment(objects, one, container, Path(folder))
        change(variables)
        ended = subprocess.run([broker, "check-config"], env=variables, capture_output=True, text=True, check=False)
    said = ended.stderr.strip()
    # A variable that is probably misspelled is a warning only.
    return None if ended.returncode == 0 and not said else f"{name(one)}: exit code {ended.returncode}: {said}"


def setting_faults(broker, objects, change=lambda variables: None):
    """What the broker says against the settings of each container that runs it."""
    found = [check_settings(broker, one, container, objects, change)
             for one in of_kind(objects, "Deployment", "Pod") for container in containers(one)]
    return [fault for fault in found if fault]


def command_faults(broker, objects):
    """Whether the broker has each command that a container runs, and runs it below the entry point of the image."""
    faults = []
    for one in filter(template, objects):
        for container in containers(one):
            if "command" in container:
                faults.append(f"{name(one)}: `command` replaces the entry point, and with it tini")
            ended = subprocess.run([broker, *container["args"], "--help"], capture_output=True, text=True, check=False)
            if ended.returncode != 0:
                faults.append(f"{name(one)}: upload-broker has no command {' '.join(container['args'])}")
    return faults


def main():
    broker = sys.argv[1]
    report = Report("chart with the broker")
    rendered = {values.stem: render(values) for values in variants()}
    for variant, objects in rendered.items():
        report.check(f"{variant}: the broker accepts the settings of each container", setting_faults(broker, objects))
    objects = rendered["minimal-values"]
    report.check("the broker has each command", command_faults(broker, objects))
    report.refuses("a setting out of range", setting_faults(
        broker, objects, lambda variables: variables.update(BROKER_SHUTDOWN_SECONDS="5000")), "BROKER_SHUTDOWN_SECONDS")
    report.refuses("a setting that does not exist", setting_faults(
        broker, objects, lambda variables: variables.update(BROKER_MAX_SIZE_BITES="1")), "BROKER_MAX_SIZE_BITES")
    job = of_kind(objects, "Job")
    containers(job[0])[0]["args"] = ["migrates"]
    report.refuses("a command that does not exist", command_faults(broker, job), "no command migrates")
    containers(job[0])[0] |= {"command": ["upload-broker"], "args": ["migrate"]}
    report.refuses("a command without the entry point", command_faults(broker, job), "replaces the entry point")
    report.finish()


if __name__ == "__main__":
    main()
