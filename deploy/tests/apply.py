"""Applies the modules storage, queue and iam to ministack, which speaks the protocols of AWS. The doctor examines what
they made, and a broker and a worker use it.

Run it with benches/with-postgres.sh, which sets DATABASE_URL."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from fleet import PLAYS_RULES, Replica, Store, Worker, call, create_and_put, make_key, stop_all
from stack import ROOT, broker, run, wait_for

# What the doctor says of the bucket, the topic and the queues. The others need Postgres or AWS itself.
CHECKS = {"bucket", "rights", "cors", "lifecycle", "public-access", "topic", "events-queue", "worker-queue",
          "signatures", "conditional-writes"}

MAIN = """
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
  endpoints {
    s3  = "ENDPOINT"
    sns = "ENDPOINT"
    sqs = "ENDPOINT"
    iam = "ENDPOINT"
    sts = "ENDPOINT"
  }
}
module "queue" {
  source = "./modules/queue"
  name   = "broker"
  bucket = "uploads"
}
module "storage" {
  source           = "./modules/storage"
  bucket           = "uploads"
  force_destroy    = true
  cors_origins     = ["https://app.example.com"]
  events_queue_arn = module.queue.events_queue_arn
}
module "iam" {
  source     = "./modules/iam"
  name       = "broker"
  bucket     = module.storage.bucket
  topic_arn  = module.queue.topic_arn
  queue_arns = [module.queue.events_queue_arn, module.queue.worker_queue_arn]
}
output "settings" {
  value = {
    BROKER_S3_BUCKET           = module.storage.bucket
    BROKER_SNS_TOPIC_ARN       = module.queue.topic_arn
    BROKER_S3_EVENTS_QUEUE_URL = module.queue.events_queue_url
    BROKER_WORKER_QUEUE_URL    = module.queue.worker_queue_url
  }
}
"""


def terraform(folder: Path, *arguments: str) -> str:
    env = {**os.environ, "CHECKPOINT_DISABLE": "1", "AWS_EC2_METADATA_DISABLED": "true"}
    env.pop("TF_CLI_CONFIG_FILE", None)
    if plugins := os.environ.get("TERRAFORM_PLUGINS"):
        (folder / "rc").write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{plugins}"\n  }}\n}}\n')
        env["TF_CLI_CONFIG_FILE"] = str(folder / "rc")
    command = ["terraform", f"-chdir={folder}", *arguments, "-no-color"]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def apply(folder: Path, store: Store) -> dict[str, str]:
    """Makes everything, and returns the settings of the broker for it."""
    shutil.copytree(ROOT / "deploy/terraform/modules", folder / "modules")
    shutil.copy(ROOT / "deploy/terraform/versions.tf", folder)
    (folder / "main.tf").write_text(MAIN.replace("ENDPOINT", store.url))
    terraform(folder, "init", "-input=false")
    terraform(folder, "apply", "-auto-approve", "-input=false")
    again = terraform(folder, "plan", "-input=false")
    assert "No changes." in again, again[-1500:]
    return json.loads(terraform(folder, "output", "-json"))["settings"]["value"]


def the_doctor_is_content_with_what_terraform_made(replica: Replica):
    doctor = subprocess.run(
        [broker(), "doctor", "--json"], capture_output=True, text=True, env={**os.environ, **replica.settings}
    )
    found = {line["check"]: line for line in map(json.loads, doctor.stdout.splitlines())}
    bad = [line for check, line in found.items() if check in CHECKS and line["state"] != "ok"]
    assert not bad and CHECKS <= found.keys(), (bad, CHECKS - found.keys(), doctor.stderr[-500:])


def an_event_of_s3_completes_an_upload_and_starts_a_job(replica: Replica, worker: Worker):
    """No client acknowledges, the janitor comes later, and only its queue wakes the worker."""
    for one in (replica, worker):
        one.start(broker())
    key = make_key(replica, broker())["key"]
    plays = b"Song,Plays\nIntro,2\nOutro,3\nIntro,5\n"
    session = create_and_put(key, replica.port, "/plays/june.csv", plays)

    def status() -> str:
        return call(key, replica.port, "GET", f"/uploads/{session['id']}")["status"]

    wait_for("the result", lambda: status() == "Processed")
    proven = call(key, replica.port, "GET", f"/uploads/{session['id']}")
    assert proven["verification"]["by"] == "s3-event", proven
    [result] = call(key, replica.port, "GET", f"/uploads/{session['id']}/results")
    assert result["path"], result


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        folder = Path(name)
        rules = folder / "rules.toml"
        rules.write_text(PLAYS_RULES)
        store = Store(folder, "s3,sns,sqs,iam,sts", has_bucket=False)
        replica = worker = None
        try:
            settings = {
                **apply(folder / "terraform", store),
                "BROKER_CORS_ORIGINS": "https://app.example.com",
                "BROKER_PROCESSORS_FILE": str(rules),
                "BROKER_JANITOR_PERIOD_SECONDS": "3600",
            }
            replica = Replica(folder, store, "broker", **settings)
            worker = Worker(folder, store, "worker", **settings)
            replica.command(broker(), "migrate")
            run([
                ("terraform: the doctor is content with what Terraform made",
                 lambda: the_doctor_is_content_with_what_terraform_made(replica)),
                ("terraform: an event of S3 completes an upload and starts a job, through the queues that Terraform made",
                 lambda: an_event_of_s3_completes_an_upload_and_starts_a_job(replica, worker)),
            ])
        finally:
            stop_all(*(one.process for one in (worker, replica) if one), store.process)
