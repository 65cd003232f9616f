#!/usr/bin/env python3
"""Processes the datasets of upload-broker whose notifications arrive in an SQS queue.

    SQS ─▶ claim ─▶ download ─▶ work ─▶ upload the result ─▶ report ─▶ delete the message
             └─────── the lease and the message are renewed meanwhile ───────┘

The job at the broker is the truth; a message only says that there may be one. It is deleted when the
job has ended, so that nothing is lost whenever this program is killed. README.md lists the faults.
"""

import base64
import hashlib
import importlib
import json
import logging
import os
import signal
import tempfile
import threading
import time
import uuid
from urllib.parse import quote

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError

URL = os.environ["UPLOAD_BROKER_URL"].rstrip("/")
KEY = os.environ["UPLOAD_BROKER_KEY"]
QUEUE = os.environ["QUEUE_URL"]
PROCESSOR = os.environ.get("PROCESSOR", "count")
LEASE_SECONDS = int(os.environ.get("LEASE_SECONDS", "60"))
WAIT_SECONDS = int(os.environ.get("WAIT_SECONDS", "20"))
RETRY_SECONDS = int(os.environ.get("RETRY_SECONDS", "30"))
RESULT_PREFIX = os.environ.get("RESULT_PREFIX", "/derived/")

log = logging.getLogger("subscriber")
stopping = threading.Event()


def count(dataset, options, progress):
    """Counts the lines and words of a dataset. Put your own function here, or name it in WORK.

    `dataset` is a binary file; `options` are those of the rule. Call `progress` every few seconds with
    the fraction that is done: it raises an exception when the work has to stop. Return the result as a
    value that JSON can represent. An exception of yours fails the job for good.
    """
    size = os.fstat(dataset.fileno()).st_size
    lines, words, is_inside_word = 0, 0, False
    while chunk := dataset.read(1 << 20):
        lines += chunk.count(b"\n")
        words += len(chunk.split()) - (is_inside_word and not chunk[:1].isspace())
        is_inside_word = not chunk[-1:].isspace()
        progress(dataset.tell() / size)
    return {"lines": lines, "words": words}


class Stopped(BaseException):
    """The work has to stop. It is no Exception, so that no function of yours catches it by accident."""


class Unavailable(requests.RequestException):
    """The broker or the store does not answer now."""


class Refused(Exception):
    """The broker refused a request, for the reason in its problem document."""

    def __init__(self, answer):
        problem = answer.json()
        self.code = problem["code"]
        self.retry_after = int(answer.headers.get("retry-after", "1"))
        super().__init__(f"{self.code}: {problem['detail']}")


def send(method, url, **more):
    """Sends a request, and repeats it if there is no answer: none does harm when it arrives twice."""
    for seconds in (0.5, 2, 0):
        try:
            answer = requests.request(method, url, timeout=(5, 60), **more)
            if answer.status_code != 429 and answer.status_code < 500:
                return answer
            reason = answer.status_code
        except requests.RequestException as error:
            reason = type(error).__name__  # Its text contains the pre-signed URL.
        time.sleep(seconds)
    raise Unavailable(f"{method}: {reason}")


def call(path, body=None, method="POST", headers=None):
    """Calls the broker, and returns the JSON of its answer."""
    headers = {"authorization": f"Bearer {KEY}", **(headers or {})}
    answer = send(method, URL + path, json=body, headers=headers)
    if not answer.ok:
        raise Refused(answer)
    return answer.json()


class Job:
    """A claimed job, whose lease a thread renews, together with its message."""

    def __init__(self, claimed, hide_message):
        self.upload, self.job, self.hide_message = claimed["upload"], claimed["job"], hide_message
        self.fraction, self.is_lost, self.has_ended = 0.0, False, threading.Event()

    def __enter__(self):
        self.renewal = threading.Thread(target=self.renew_until_end, daemon=True)
        self.renewal.start()
        return self

    def __exit__(self, *_):
        self.has_ended.set()
        self.renewal.join()

    def renew_until_end(self):
        while not self.is_lost and not self.has_ended.wait(LEASE_SECONDS / 3):
            try:
                self.report("Processing", progress=self.fraction)
                self.hide_message(LEASE_SECONDS)
            except Exception as error:
                log.warning("upload %s: not renewed: %s", self.upload["id"], error)
                self.is_lost = getattr(error, "code", "") == "lease-lost"

    def progress(self, fraction):
        self.fraction = min(max(fraction, 0.0), 1.0)
        if self.is_lost or stopping.is_set():
            raise Stopped

    def report(self, status, **more):
        held = {"processor": PROCESSOR, "lease": self.job["lease"], "lease_seconds": LEASE_SECONDS}
        call(f"/uploads/{self.upload['id']}/processing", {"status": status, **held, **more})


def download(job, file):
    """Writes the proven bytes to a file. The proof is only about the object with its ETag."""
    path, proven = quote(job.upload["path"]), job.upload["object"]
    signed = call(f"/datasets{path}/action/download?redirect=false", method="GET")
    answer = send("GET", signed["url"], headers={"if-match": proven["etag"]}, stream=True)
    if answer.status_code != 200 or answer.headers.get("etag") != proven["etag"]:
        raise ValueError(f"the proven object is not there any more: status {answer.status_code}")
    for chunk in answer.iter_content(1 << 20):
        file.write(chunk)
        job.progress(0.0)
    if file.tell() != proven["size"]:
        raise Unavailable(f"{file.tell()} of {proven['size']} bytes arrived")
    file.seek(0)


def upload(job, result):
    """Uploads the result as a dataset, and returns it as an output of the job.

    Each attempt has the same path, and replaces what an earlier one has left. The lease is renewed
    before each write: a program that has lost it must not replace the result of another one.
    """
    data = json.dumps(result, sort_keys=True).encode() + b"\n"
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    new = {"path": f"{RESULT_PREFIX}{job.upload['id']}/{PROCESSOR}.json", "overwrite": True,
           "name": f"{job.upload['name']} ({PROCESSOR})", "metadata": {"source": job.upload["id"]},
           "size": len(data), "checksum": {"algorithm": "SHA256", "value": digest}}
    job.report("Processing")
    attempt = {"idempotency-key": f"{job.job['id']}-{job.job['started_at']}"}
    session = call("/uploads", new, headers=attempt)
    put = session["upload"]
    send("PUT", put["url"], data=data, headers=put["headers"]).raise_for_status()
    job.report("Processing")
    call(f"/uploads/{session['id']}/acknowledge")
    return {"kind": PROCESSOR, "path": session["path"]}


def attempt_job(job, work):
    """Does the job. Returns what to report, and when its message comes again; None if it is done."""
    try:
        with tempfile.TemporaryFile() as file:
            download(job, file)
            result = work(file, job.job["options"], job.progress)
        return {"status": "Processed", "outputs": [upload(job, result)]}, None
    except Stopped:
        return {"status": "Queued", "message": "The worker stops."}, 0
    except requests.RequestException as error:
        return {"status": "Queued", "message": f"No answer: {type(error).__name__}"}, RETRY_SECONDS
    except Exception as error:
        return {"status": "Error", "message": f"{type(error).__name__}: {error}"}, None


def read_event(body):
    """Returns the upload of an event, with or without the envelope of SNS, and whether to process it."""
    event = json.loads(body)
    event = json.loads(event["Message"]) if "Message" in event else event
    # Results are datasets, with notifications of their own. They must not be processed again.
    is_result = event["data"]["path"].startswith(RESULT_PREFIX)
    upload_id = str(uuid.UUID(event["data"]["upload_id"]))
    return upload_id, event["type"] == "dataset.uploaded" and not is_result


def run_job(upload_id, hide_message, work):
    """Runs a job. Returns when its message comes again, in seconds; None if it is done."""
    claim = {"processor": PROCESSOR, "status": "Processing", "lease_seconds": LEASE_SECONDS}
    try:
        claimed = call(f"/uploads/{upload_id}/processing", claim)
    except Refused as refused:
        log.info("upload %s: not claimed: %s", upload_id, refused)
        if refused.code == "invalid-status":
            return None  # The job has ended, or the dataset was replaced or deleted.
        return refused.retry_after if refused.code == "job-claimed" else RETRY_SECONDS
    if claimed["job"]["status"] != "Running":
        return None  # It was started too often, and has failed.
    log.info("upload %s: attempt %s starts", upload_id, claimed["job"]["attempt"])
    with Job(claimed, hide_message) as job:
        report, again = attempt_job(job, work)
        job.report(**report)
    log.info("upload %s: reported %s %s", upload_id, report["status"], report.get("message", ""))
    return again


def handle(sqs, message, work):
    name = {"QueueUrl": QUEUE, "ReceiptHandle": message["ReceiptHandle"]}
    hide_message = lambda seconds: sqs.change_message_visibility(VisibilityTimeout=seconds, **name)
    try:
        upload_id, is_wanted = read_event(message["Body"])
    except Exception:
        log.warning("message %s is no event, and stays in the queue", message["MessageId"])
        return
    try:
        again = run_job(upload_id, hide_message, work) if is_wanted else None
    except (Refused, requests.RequestException) as error:
        log.warning("upload %s: %s", upload_id, error)
        again = RETRY_SECONDS
    sqs.delete_message(**name) if again is None else hide_message(again)


def main():
    logging.basicConfig(level="INFO", format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    module, _, function = os.environ.get("WORK", "").partition(":")
    work = getattr(importlib.import_module(module), function) if module else count
    sqs = boto3.client("sqs", region_name=os.environ.get("AWS_REGION"))
    poll = {"QueueUrl": QUEUE, "WaitTimeSeconds": WAIT_SECONDS, "VisibilityTimeout": LEASE_SECONDS}
    while not stopping.is_set():
        try:
            for message in sqs.receive_message(**poll).get("Messages", []):
                handle(sqs, message, work)
        except (BotoCoreError, ClientError) as error:
            log.warning("SQS: %s", error)
            time.sleep(5)


if __name__ == "__main__":
    main()
