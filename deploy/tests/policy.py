"""The policy that `upload-broker doctor --policy` prints is sufficient for a broker and a worker, and each of its
actions is necessary. moto checks the rights.

Run it with benches/with-postgres.sh, which sets DATABASE_URL."""

import copy
import json
import os
import subprocess
import tempfile
from pathlib import Path

from aws import Aws
from policy_round import Round
from stack import broker, run

# Actions that moto does not check, and why.
UNCHECKED = {
    "iam:PassRole": "no call has this name. AWS checks it within StartDocumentTextDetection; moto only checks the "
                    "action that has the name of the call (_get_action in moto/core/responses.py)",
}
# With these, the policy has all statements.
CHANNEL = {"BROKER_TEXTRACT_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:text",
           "BROKER_TEXTRACT_ROLE_ARN": "arn:aws:iam::123456789012:role/text"}
# What the doctor reads beyond the rights of the broker. Its verdicts are then `unknown`: see doctor.md.
READ_BY_THE_DOCTOR = {"versioning", "lifecycle", "public-access", "topic", "events-queue", "worker-queue"}


def printed_policy(aws: Aws) -> dict:
    env = {"PATH": os.environ["PATH"], **aws.settings(), **CHANNEL}
    done = subprocess.run([broker(), "doctor", "--policy"], env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def actions_of(policy: dict) -> list[str]:
    return [action for statement in policy["Statement"] for action in statement["Action"]]


def without(policy: dict, action: str) -> dict:
    less = copy.deepcopy(policy)
    for statement in less["Statement"]:
        statement["Action"] = [one for one in statement["Action"] if one != action]
    less["Statement"] = [statement for statement in less["Statement"] if statement["Action"]]
    return less


class Policy:
    def __init__(self, folder: Path, aws: Aws):
        self.folder, self.aws, self.rounds = folder, aws, 0
        self.whole = printed_policy(aws)

    def round_with(self, policy: dict) -> Round:
        self.aws.set_policy(policy)
        self.rounds += 1
        return Round(self.folder, self.aws, self.rounds)

    def is_sufficient(self):
        one = self.round_with(self.whole)
        try:
            one.run()
            used = {line.split()[0] for line in self.aws.decisions("allowed")}
            unused = set(actions_of(self.whole)) - used - UNCHECKED.keys()
            assert not unused, f"the round does not use {unused}"
            doctor = one.command("doctor", "--json")
            found = {line["check"]: line for line in map(json.loads, doctor.stdout.splitlines())}
            bad = [line for line in found.values() if line["state"] == "failed"]
            bad += [line for check, line in found.items()
                    if line["state"] == "unknown" and check not in READ_BY_THE_DOCTOR]
            assert doctor.returncode == 0 and not bad, bad or doctor.stderr[-1000:]
        finally:
            one.stop()

    def needs(self, action: str):
        one = self.round_with(without(self.whole, action))
        try:
            one.run()
            failure = ""
        except AssertionError as error:
            failure = str(error)
        finally:
            one.stop()
        assert failure, f"the round succeeds without {action}"
        # Nothing else was the cause.
        refused = {line.split()[0] for line in one.refused()}
        assert refused == {action}, (refused, failure)
        print(f"    fails: {failure.partition(':')[0]}", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        aws = Aws(Path(name))
        try:
            policy = Policy(Path(name), aws)
            checked = [action for action in actions_of(policy.whole) if action not in UNCHECKED]
            run([("policy: it is sufficient", policy.is_sufficient)] + [
                (f"policy: {action} is necessary", lambda action=action: policy.needs(action)) for action in checked])
        finally:
            aws.process.stop()
