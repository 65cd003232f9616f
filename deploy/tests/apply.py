"""Applies the modules storage, queue and iam to ministack, which speaks the protocols of AWS, and has the doctor of the
broker examine what they made."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from stack import ROOT, Process, broker, free_port, get, run, wait_for

# What the doctor says of the bucket, the topic and the queues. The others need Postgres or AWS itself.
CHECKS = {"bucket", "rights", "cors", "lifecycle", "public-access", "topic", "events-queue", "worker-queue",
          "signatures", "conditional-writes"}
ACCOUNT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}

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


def the_doctor_is_content_with_what_terraform_made():
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        endpoint = f"http://127.0.0.1:{port}"
        env = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
        server = Process([ROOT / ".venv/bin/ministack"], folder / "server.log", env)
        try:
            wait_for("the server", lambda: get(endpoint))
            shutil.copytree(ROOT / "deploy/terraform/modules", folder / "modules")
            shutil.copy(ROOT / "deploy/terraform/versions.tf", folder)
            (folder / "main.tf").write_text(MAIN.replace("ENDPOINT", endpoint))
            terraform(folder, "init", "-input=false")
            terraform(folder, "apply", "-auto-approve", "-input=false")
            again = terraform(folder, "plan", "-input=false")
            assert "No changes." in again, again[-1500:]
            settings = json.loads(terraform(folder, "output", "-json"))["settings"]["value"]
            doctor = subprocess.run(
                [broker(), "doctor", "--json"], capture_output=True, text=True,
                env={"PATH": os.environ["PATH"], **ACCOUNT, **settings, "AWS_ENDPOINT_URL": endpoint,
                     "BROKER_CORS_ORIGINS": "https://app.example.com", "DATABASE_URL": "postgres://a:b@127.0.0.1:9/c"},
            )
            found = {line["check"]: line for line in map(json.loads, doctor.stdout.splitlines())}
            bad = [line for check, line in found.items() if check in CHECKS and line["state"] != "ok"]
            assert not bad and CHECKS <= found.keys(), (bad, CHECKS - found.keys(), doctor.stderr[-500:])
        finally:
            server.stop()


if __name__ == "__main__":
    run([("terraform: the doctor is content with what Terraform made", the_doctor_is_content_with_what_terraform_made)])
