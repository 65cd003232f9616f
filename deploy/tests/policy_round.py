"""All that a broker and a worker do with AWS, once: each step is a method, and fails if it does not come about."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from aws import Aws
from fleet import SCOPES, TABLES_AND_DOCUMENTS_RULES
from stack import Process, broker, free_port, get, wait_for

PART = 5 << 20


class Round:
    """A broker and a worker, which live for one round. The first round also makes the schema and the key."""

    key: str | None = None

    def __init__(self, folder: Path, aws: Aws, number: int):
        self.aws, self.number, self.port = aws, number, free_port()
        rules = folder / "rules.toml"
        rules.write_text(TABLES_AND_DOCUMENTS_RULES)
        self.settings = {
            **aws.settings(),
            "DATABASE_URL": os.environ["DATABASE_URL"],
            "BROKER_BIND": f"127.0.0.1:{self.port}",
            "BROKER_WORKER_BIND": f"127.0.0.1:{free_port()}",
            "BROKER_PROCESSORS_FILE": str(rules),
            # For moto, all multipart uploads began years ago.
            "BROKER_STALE_MULTIPART_SCOPE": "bucket",
            "BROKER_STALE_MULTIPART_SECONDS": "3600",
            "BROKER_STALE_MULTIPART_PERIOD_SECONDS": "0",
            "BROKER_SWEEP_PERIOD_SECONDS": "0",
            "BROKER_MIGRATE": "false",
            # Otherwise the broker tries out what the store can do, with calls of its own. moto verifies no checksums.
            "BROKER_S3_CONDITIONAL_WRITES": "on",
            "BROKER_S3_CHECKSUMS": "off",
            "BROKER_S3_HEAD_CHECKSUMS": "on",
        }
        if not Round.key:
            self.command("migrate")
            Round.key = json.loads(self.command("keys", "create", "--json", "--scopes", SCOPES).stdout)["key"]
        self.allowed_before = len(aws.decisions("allowed"))
        self.refused_before = len(aws.decisions("refused"))
        self.processes = [Process([broker(), name], folder / f"{name}-{number}.log", self.settings)
                          for name in ("serve", "worker")]

    def stop(self) -> None:
        for process in self.processes:
            process.child.terminate()
        for process in self.processes:
            process.stop()

    def command(self, *arguments: str) -> subprocess.CompletedProcess:
        env = {"PATH": os.environ["PATH"], **self.settings}
        return subprocess.run([broker(), *arguments], env=env, capture_output=True, text=True, timeout=300)

    def refused(self) -> list[str]:
        return self.aws.decisions("refused")[self.refused_before:]

    def wait_for(self, what: str, holds) -> None:
        """Ends early if a call was refused: what is waited for would not come about, or only after a retry."""
        def ended():
            assert not self.refused(), f"{what}: refused {self.refused()[0]}"
            for process in self.processes:
                assert process.child.poll() is None, process.output()[-1000:]
            return holds()
        wait_for(what, ended, 60)

    def call(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:300]}") from None

    def path(self, name: str) -> str:
        return f"/round-{self.number}/{name}"

    def create(self, name: str, size: int, **more):
        return self.call("POST", "/uploads", {"path": self.path(name), "size": size, **more})

    def status(self, upload: dict) -> dict:
        return self.call("GET", f"/uploads/{upload['id']}")

    def acknowledge(self, upload: dict) -> dict:
        done = self.call("POST", f"/uploads/{upload['id']}/acknowledge", {})
        assert done["status"] in ("Uploaded", "Processing", "Processed"), done
        return done

    def upload(self, name: str, content: bytes, **more) -> dict:
        upload = self.create(name, len(content), **more)
        send(upload["upload"], content)
        self.acknowledge(upload)
        return upload

    def steps(self):
        return [self.start, self.upload_and_publish, self.complete_by_event, self.upload_in_parts, self.cancel_parts,
                self.list_copy_and_download, self.delete, self.run_job, self.run_textract, self.delete_messages,
                self.postpone_message, self.free_stale_parts]

    def start(self):
        self.wait_for("readiness", lambda: get(f"http://127.0.0.1:{self.port}/readyz") == 200)

    def upload_and_publish(self):
        upload = self.upload("one.bin", b"one")
        self.wait_for("the notification", lambda: [
            event for event in self.aws.received_of_topic() if event["data"]["upload_id"] == upload["id"]])

    def complete_by_event(self):
        upload = self.create("arrived.bin", 3)
        send(upload["upload"], b"two")
        self.wait_for("the completion by an event of S3", lambda: self.status(upload)["status"] == "Uploaded")
        assert self.status(upload)["verification"]["by"] == "s3-event"

    def upload_in_parts(self):
        content = bytes(PART) + b"end"
        upload = self.create("large.bin", len(content), multipart=True, part_size=PART)
        for part in upload["multipart"]["parts"]:
            begin = part["offset"]
            send(part, content[begin:begin + part["size"]])
        found = self.call("GET", f"/uploads/{upload['id']}/parts")
        assert found["missing"] == [] and len(found["uploaded"]) == 2, found
        self.acknowledge(upload)

    def cancel_parts(self):
        upload = self.create("cancelled.bin", PART + 1, multipart=True, part_size=PART)
        part = upload["multipart"]["parts"][0]
        send(part, bytes(part["size"]))
        self.call("POST", f"/uploads/{upload['id']}/cancel")

    def list_copy_and_download(self):
        self.call("POST", f"/datasets{self.path('one.bin')}/action/copy", {"to": self.path("copied.bin")})
        listed = self.call("GET", f"/datasets?prefix=/round-{self.number}/")
        assert {self.path("one.bin"), self.path("copied.bin")} <= {one["path"] for one in listed}, listed
        link = self.call("GET", f"/datasets{self.path('copied.bin')}/action/download?redirect=false")
        with urllib.request.urlopen(link["url"]) as answer:
            assert answer.read() == b"one"

    def delete(self):
        self.call("DELETE", f"/datasets{self.path('copied.bin')}")
        assert self.path("copied.bin")[1:] not in self.aws.keys(f"round-{self.number}/")

    def run_job(self):
        upload = self.upload("table.csv", b"a\n1\n1\n", content_type="text/csv")
        self.wait_for("the job", lambda: self.status(upload)["status"] == "Processed")

    def run_textract(self):
        upload = self.upload("document.pdf", b"%PDF-1.4\n%%EOF\n", content_type="application/pdf")
        self.wait_for("the text", lambda: self.status(upload)["status"] == "Processed")
        text = self.call("GET", f"/uploads/{upload['id']}/text")
        assert "a line" in json.dumps(text), text

    def delete_messages(self):
        self.wait_for("the queue arrivals to be empty", lambda: self.aws.messages_in("arrivals") == 0)
        # A message of a job that waits for Textract comes back later.
        self.wait_for("a message of the queue jobs to be deleted", lambda: [
            one for one in self.aws.decisions("allowed")[self.allowed_before:]
            if one.startswith("sqs:DeleteMessage") and one.endswith(":jobs")])

    def postpone_message(self):
        """An event may arrive before the row of its upload is visible: its message is postponed."""
        before = len(self.aws.decisions("allowed"))
        self.aws.put_object_of_unknown_upload(self.path("unknown.bin")[1:])
        self.wait_for("the postponed message", lambda: [
            one for one in self.aws.decisions("allowed")[before:] if one.startswith("sqs:ChangeMessageVisibility")])

    def free_stale_parts(self):
        key = self.path("stale.bin")[1:]
        self.aws.start_multipart_of_unknown_program(key)
        done = self.command("janitor", "--only", "stale-multipart", "--json")
        assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
        assert key not in self.aws.open_multiparts(), done.stdout[-1000:]

    def run(self) -> None:
        for step in self.steps():
            name = step.__name__.replace("_", " ")
            try:
                step()
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}; refused: {self.refused()[:1]}") from None
            assert not self.refused(), f"{name}: refused: {self.refused()[0]}"


def send(put: dict, content: bytes) -> None:
    # urllib would say that the content is a form.
    headers = {"content-type": "application/octet-stream", **put["headers"]}
    request = urllib.request.Request(put["url"], content, headers, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200
    except urllib.error.HTTPError as error:
        raise AssertionError(f"PUT to the store: {error.code} {error.read()[:300]}") from None
