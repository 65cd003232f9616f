"""Brokers, workers and their store as in production, each a process of its own, on the Postgres of DATABASE_URL
(benches/with-postgres.sh sets it)."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import boto3

from document import document
from stack import PATIENCE, ROOT, Process, free_port, get, wait_for

BUCKET = "uploads"
ACCOUNT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
# What happens with a CSV file of songs and plays.
PLAYS_RULES = """
[[rule]]
processor = "csv-aggregate"
paths = ["/plays/**"]
options = { group_by = ["Song"], aggregates = [{ function = "sum", column = "Plays" }] }
"""
# What happens with any CSV file that has a column `a`, and with any PDF document.
TABLES_AND_DOCUMENTS_RULES = """
[[rule]]
processor = "csv-aggregate"
paths = ["/**/*.csv"]
options = { group_by = ["a"], aggregates = [{ function = "count" }] }

[[rule]]
processor = "pdf-text"
paths = ["/**/*.pdf"]
"""
SCOPES = "uploads:write,uploads:read,datasets:read,datasets:delete"


class Store:
    """ministack, with an empty bucket if nothing else makes it."""

    def __init__(self, folder: Path, services: str = "s3", has_bucket: bool = True, host: str = "127.0.0.1"):
        port = free_port()
        self.url = f"http://{host}:{port}"
        env = {"BIND_HOST": host, "GATEWAY_PORT": str(port), "SERVICES": services, "AUTH": "false"}
        self.process = Process([str(ROOT / ".venv/bin/ministack")], folder / "store.log", env)
        wait_for("the store", lambda: get(f"{self.url}/_ministack/ready") == 200)
        if has_bucket:
            self.client("s3").create_bucket(Bucket=BUCKET)

    def client(self, service: str):
        return boto3.client(
            service, endpoint_url=self.url, region_name=ACCOUNT["AWS_REGION"],
            aws_access_key_id=ACCOUNT["AWS_ACCESS_KEY_ID"], aws_secret_access_key=ACCOUNT["AWS_SECRET_ACCESS_KEY"],
        )


class Replica:
    """A broker, which can be stopped, and started again with another program."""

    role, bind = "serve", "BROKER_BIND"

    def __init__(self, folder: Path, store: Store, name: str, **settings: str):
        self.log, self.port, self.metrics = folder / f"{name}.log", free_port(), free_port()
        self.process: Process | None = None
        self.settings = {
            **ACCOUNT,
            "AWS_ENDPOINT_URL": store.url,
            "BROKER_S3_BUCKET": BUCKET,
            self.bind: f"127.0.0.1:{self.port}",
            "BROKER_METRICS_BIND": f"127.0.0.1:{self.metrics}",
            "BROKER_MIGRATE": "false",
            "BROKER_TRUSTED_PROXIES": "127.0.0.1/32",
            **settings,
        }

    def command(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [program, *arguments], env={**os.environ, **self.settings}, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def start(self, program: str) -> None:
        self.process = Process([program, self.role], self.log, self.settings)
        wait_for("a broker", lambda: get(f"http://127.0.0.1:{self.port}/readyz") == 200)

    def stop(self) -> None:
        code = self.process.stop()
        assert code == 0, (code, self.process.output()[-2000:])


class Worker(Replica):
    """A process that only runs jobs."""

    role, bind = "worker", "BROKER_WORKER_BIND"


def stop_all(*processes) -> None:
    for process in processes:
        if process:
            process.stop()


def make_key(replica: Replica, program: str) -> dict:
    """The key with its id."""
    return json.loads(replica.command(program, "keys", "create", "--json", "--scopes", SCOPES))


def call(key: str, port: int, method: str, path: str, body=None, **headers: str):
    """The answer. What gets 503 is repeated, as clients do: on a busy machine, Postgres may be slow for a while."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json", **headers}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)

    def answered():
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return [json.loads(answer.read() or b"null")]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]}") from None

    return wait_for(f"an answer to {method} {path}", answered)[0]


def create_and_put(key: str, port: int, path: str, data: bytes, content_type: str = "text/csv") -> dict:
    """The session of an upload whose object has arrived, and is not proven yet."""
    session = call(key, port, "POST", "/uploads", {"path": path, "size": len(data), "content_type": content_type})
    upload = session["upload"]
    urllib.request.urlopen(urllib.request.Request(upload["url"], data, upload["headers"], method="PUT"), timeout=60)
    return session


def upload(key: str, port: int, path: str, data: bytes, content_type: str = "text/csv") -> str:
    """The id of a proven upload."""
    session = create_and_put(key, port, path, data, content_type)
    call(key, port, "POST", f"/uploads/{session['id']}/acknowledge", {})
    return session["id"]


def is_processed(key: str, port: int, upload_id: str) -> bool:
    status = call(key, port, "GET", f"/uploads/{upload_id}")["status"]
    assert status != "Error", call(key, port, "GET", f"/uploads/{upload_id}/jobs")
    return status == "Processed"


def process_table_and_document(key: str, port: int) -> None:
    """Uploads a table and a document, and reads what a worker makes of them by TABLES_AND_DOCUMENTS_RULES."""
    table = upload(key, port, "/in/table.csv", b"a\n1\n1\n")
    text = upload(key, port, "/in/document.pdf", document("some words"), "application/pdf")
    for one in (table, text):
        wait_for("the job", lambda one=one: is_processed(key, port, one), 120)
    assert call(key, port, "GET", f"/uploads/{table}/results"), "no results"
    found = call(key, port, "GET", f"/uploads/{text}/text")
    assert "some words" in json.dumps(found), found
