"""Checks deploy/terraform without Terraform: the modules fit together, the role has the policy of the doctor, all IAM
actions exist, and every alarm has its page."""

import json
import os
import re
import subprocess
from pathlib import Path

import hcl2
import parliament

from lib.broken_copies import Broken, broker, main

FOLDER = "deploy/terraform"
IAM = f"{FOLDER}/modules/iam/main.tf"
ALARMS = "docs/src/guides/operators/deploy/aws-alarms.md"
QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012"
# All that the doctor's policy depends on.
SETTINGS = {
    "BROKER_S3_BUCKET": "uploads",
    "AWS_REGION": "eu-central-1",
    "BROKER_SNS_TOPIC_ARN": "arn:aws:sns:eu-central-1:123456789012:broker",
    "BROKER_S3_EVENTS_QUEUE_URL": f"{QUEUE}/broker-s3-events",
    "BROKER_WORKER_QUEUE_URL": f"{QUEUE}/broker-worker",
    "BROKER_PDF_ENGINE": "textract",
    "BROKER_TEXTRACT_TOPIC_ARN": "arn:aws:sns:eu-central-1:123456789012:text",
    "BROKER_TEXTRACT_ROLE_ARN": "arn:aws:iam::123456789012:role/text",
}


def plain(name: str) -> str:
    return name.strip('"')


def parsed(folder: Path) -> dict[str, dict]:
    """The blocks of a module: variables, outputs and modules by their names, and its text."""
    found = {"variable": {}, "output": {}, "module": {}}
    for file in sorted(folder.glob("*.tf")):
        with file.open() as text:
            document = hcl2.load(text)
        for kind in found:
            for block in document.get(kind, []):
                found[kind].update({plain(name): values for name, values in block.items()})
    found["text"] = "\n".join(file.read_text() for file in sorted(folder.glob("*.tf")))
    return found


def modules(root: Path) -> dict[str, dict]:
    return {folder.name: parsed(folder) for folder in sorted((root / FOLDER / "modules").iterdir())}


def modules_fit_together(root: Path) -> list[str]:
    try:
        known = modules(root)
        example = parsed(root / FOLDER / "examples/complete")
    except Exception as error:  # noqa: BLE001 - what the parser raises differs between its versions
        return [f"{FOLDER}: cannot be parsed: {str(error)[:300]}"]
    faults = []
    for name, module in {**known, "examples/complete": example}.items():
        used = set(re.findall(r"\bvar\.(\w+)", module["text"]))
        faults += [f"{name}: var.{one} is not declared" for one in sorted(used - module["variable"].keys())]
        faults += [f"{name}: variable {one} is not used" for one in sorted(module["variable"].keys() - used)]
        for kind in ("variable", "output"):
            faults += [f"{name}: {kind} {one} needs a description"
                       for one, values in module[kind].items() if not values.get("description")]
    for name, call in example["module"].items():
        target = known.get(Path(plain(call["source"])).name)
        if target is None:
            faults.append(f"examples/complete: module {name}: there is no {call['source']}")
            continue
        given = {key for key in call if not key.startswith("__")} - {"source"}
        required = {key for key, values in target["variable"].items() if "default" not in values}
        faults += [f"examples/complete: module {name}: {one} is missing" for one in sorted(required - given)]
        faults += [f"examples/complete: module {name}: there is no variable {one}"
                   for one in sorted(given - target["variable"].keys())]
        for output in sorted(set(re.findall(rf"\bmodule\.{name}\.(\w+)", example["text"]))):
            if output not in target["output"]:
                faults.append(f"examples/complete: module {name} has no output {output}")
    return faults


def doctor_policy() -> list[dict]:
    env = {"PATH": os.environ["PATH"], **SETTINGS}
    run = subprocess.run([broker(), "doctor", "--policy"], env=env, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)["Statement"]


def role_is_the_doctors(root: Path) -> list[str]:
    """Compares the lists of actions with the statements of the doctor. `make deploy-test` compares whole policies."""
    text = (root / IAM).read_text()
    ours = {name: tuple(re.findall(r'"([\w:]+)"', actions))
            for name, actions in re.findall(r"(\w+_actions)\s+= \[(.*?)\]", text)}
    extras = {ours.pop("tag_actions", ()), ours.pop("key_actions", ())}
    doctors = {tuple(statement["Action"]) for statement in doctor_policy()}
    faults = [f"{IAM}: no statement has {list(actions)}, as the doctor's has" for actions in doctors - set(ours.values())]
    faults += [f"{IAM}: {list(actions)} is no statement of the doctor" for actions in set(ours.values()) - doctors]
    known = {("s3:PutObjectTagging", "s3:GetObjectTagging"), ("kms:GenerateDataKey", "kms:Decrypt")}
    if extras != known:
        faults.append(f"{IAM}: extras should be {known}: see docs/src/guides/operators/bucket.md")
    used = set(re.findall(r"actions = local\.(\w+)", text))
    faults += [f"{IAM}: local.{name} is in no statement" for name in sorted(ours.keys() - used)]
    return faults


def actions_exist(root: Path) -> list[str]:
    faults = []
    for file in sorted((root / FOLDER).rglob("*.tf")):
        actions = set(re.findall(r'"([a-z0-9-]+:[A-Z]\w*\*?)"', file.read_text()))
        for action in sorted(actions):
            # The names of S3's events, and condition keys.
            if action.startswith(("s3:ObjectCreated", "s3:ObjectRemoved", "s3:LifecycleExpiration", "aws:", "sts:ExternalId")):
                continue
            try:
                parliament.expand_action(action)
            except Exception as error:  # noqa: BLE001 - parliament raises several kinds
                faults.append(f"{file.relative_to(root)}: {action}: no such action ({error})")
    return faults


def alarms_have_a_page(root: Path) -> list[str]:
    test = (root / FOLDER / "tests/alarms.tftest.hcl").read_text()
    keys = re.findall(r'^      "([\w-]+)",$', test, re.MULTILINE)
    page = (root / ALARMS).read_text() if (root / ALARMS).exists() else ""
    headings = re.findall(r"^## ([\w-]+)$", page, re.MULTILINE)
    faults = [f"{ALARMS}: the alarm {key} has no heading" for key in keys if key not in headings]
    faults += [f"{ALARMS}: {heading} is no alarm" for heading in headings if heading not in keys]
    return faults if keys else ["tests/alarms.tftest.hcl names no alarms"]


if __name__ == "__main__":
    main("terraform", [modules_fit_together, role_is_the_doctors, actions_exist, alarms_have_a_page], [
        Broken(modules_fit_together, f"{FOLDER}/modules/queue/main.tf", "var.bucket}", "var.buckets}", "var.buckets"),
        Broken(modules_fit_together, f"{FOLDER}/examples/complete/main.tf", "module.queue.topic_arn", "module.queue.topic",
               "no output topic"),
        Broken(modules_fit_together, f"{FOLDER}/examples/complete/main.tf", "  events_queue_arn =", "  event_queue_arn =",
               "no variable event_queue_arn"),
        Broken(modules_fit_together, IAM, "locals {", "locals {{", "cannot be parsed"),
        Broken(role_is_the_doctors, IAM, '"s3:AbortMultipartUpload", ', "", "AbortMultipartUpload"),
        Broken(role_is_the_doctors, IAM, '["sns:Publish"]', '["sns:Publish", "sns:Subscribe"]', "sns:Subscribe"),
        Broken(actions_exist, f"{FOLDER}/modules/beanstalk/roles.tf", "logs:PutLogEvents", "logs:PutLogEvent", "logs:PutLogEvent"),
        Broken(actions_exist, IAM, "s3:GetObject\"", "s3:ReadObject\"", "s3:ReadObject"),
        Broken(alarms_have_a_page, ALARMS, "## worker-late", "## worker-slow", "worker-late"),
    ])
