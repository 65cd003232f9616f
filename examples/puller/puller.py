#!/usr/bin/env python3
"""Processes the datasets whose jobs upload-broker has queued. It needs only Python: no AWS, no queue.

    claim ─▶ download ─▶ work ─▶ upload the result ─▶ report
      └────────── the lease is renewed meanwhile ───────┘

`POST /jobs/claim` is the queue: it waits until a rule has queued a job. The job is held under a lease,
so that nothing is lost whenever this program is killed. README.md lists the faults.
"""

import base64
import hashlib
import http.client
import importlib
import json
import logging
import os
import signal
import tempfile
import threading
import time
import urllib.error
import urllib.request

URL = os.environ["UPLOAD_BROKER_URL"].rstrip("/")
KEY = os.environ["UPLOAD_BROKER_KEY"]
PROCESSOR = os.environ.get("PROCESSOR", "digest")
LEASE_SECONDS = int(os.environ.get("LEASE_SECONDS", "60"))
WAIT_SECONDS = int(os.environ.get("WAIT_SECONDS", "20"))
RETRY_SECONDS = int(os.environ.get("RETRY_SECONDS", "30"))
RESULT_PREFIX = os.environ.get("RESULT_PREFIX", "/derived/")

log = logging.getLogger("puller")
stopping = threading.Event()


def digest(dataset, options, progress):
    """Computes the digest of a dataset. Put your own function here, or name it in WORK.

    `dataset` is a binary file; `options` are those of the rule. Call `progress` every few seconds with
    the fraction that is done: it raises an exception when the work has to stop. Return the result as a
    value that JSON can represent. An exception of yours fails the job for good.
    """
    algorithm = options.get("algorithm", "sha256")
    size = os.fstat(dataset.fileno()).st_size
    state = hashlib.new(algorithm)
    while chunk := dataset.read(1 << 20):
        state.update(chunk)
        progress(dataset.tell() / size)
    return {"algorithm": algorithm, "digest": state.hexdigest(), "size": size}


class Stopped(BaseException):
    """The work has to stop. It is no Exception, so that no function of yours catches it by accident."""


class Unavailable(Exception):
    """The broker or the store does not answer now."""


class Refused(Exception):
    """The broker refused a request, for the reason in its problem document."""

    def __init__(self, problem):
        self.code = problem["code"]
        super().__init__(f"{self.code}: {problem['detail']}")


def send(method, url, body=None, headers=None):
    """Sends a request, and repeats it if there is no answer: none does harm when it arrives twice."""
    for seconds in (0.5, 2, 0):
        request = urllib.request.Request(url, body, headers or {}, method=method)
        try:
            return urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as answer:
            if answer.code != 429 and answer.code < 500:
                return answer
            reason = answer.code
        except (OSError, http.client.HTTPException) as error:
            reason = type(error).__name__
        time.sleep(seconds)
    raise Unavailable(f"{method}: {reason}")


def call(path, body=None, headers=None):
    """Calls the broker, and returns the JSON of its answer."""
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json", **(headers or {})}
    try:
        with send("POST", URL + path, json.dumps(body or {}).encode(), headers) as answer:
            content = json.load(answer)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(f"POST: {type(error).__name__}") from None
    if answer.status >= 400:
        raise Refused(content)
    return content


class Job:
    """A claimed job, whose lease a thread renews."""

    def __init__(self, claimed):
        self.upload, self.job = claimed["upload"], claimed["job"]
        self.fraction, self.is_lost, self.has_ended = 0.0, False, threading.Event()

    def __enter__(self):
        self.renewal = threading.Thread(target=self.renew_until_end, daemon=True)
        self.renewal.start()
        return self

    def __exit__(self, *_):
        self.has_ended.set()
        self.renewal.join()

    def renew_until_end(self):
        # A third of the lease leaves time for another try if one fails.
        while not self.is_lost and not self.has_ended.wait(LEASE_SECONDS / 3):
            try:
                self.report("Processing", progress=self.fraction)
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
    proven = job.upload["object"]
    with send("GET", job.upload["download_url"], headers={"if-match": proven["etag"]}) as answer:
        if answer.status != 200 or answer.headers["etag"] != proven["etag"]:
            raise ValueError(f"the proven object is not there any more: status {answer.status}")
        try:
            while chunk := answer.read(1 << 20):
                file.write(chunk)
                job.progress(0.0)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"GET: {type(error).__name__}") from None
    if file.tell() != proven["size"]:
        raise Unavailable(f"GET: {file.tell()} of {proven['size']} bytes")
    file.seek(0)


def upload(job, result):
    """Uploads the result as a dataset, and returns it as an output of the job.

    Each attempt has the same path, and replaces what an earlier one has left. The lease is renewed
    before each write: a program that has lost it must not replace the result of another one.
    """
    data = json.dumps(result, sort_keys=True).encode() + b"\n"
    checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
    new = {"path": f"{RESULT_PREFIX}{job.upload['id']}/{PROCESSOR}.json", "overwrite": True,
           "name": f"{job.upload['name']} ({PROCESSOR})", "metadata": {"source": job.upload["id"]},
           "size": len(data), "checksum": {"algorithm": "SHA256", "value": checksum}}
    job.report("Processing")
    attempt = {"idempotency-key": f"{job.job['id']}-{job.job['started_at']}"}
    session = call("/uploads", new, attempt)
    put = session["upload"]
    with send("PUT", put["url"], data, put["headers"]) as answer:
        if answer.status != 200:
            raise Unavailable(f"PUT: {answer.status}")
    job.report("Processing")
    call(f"/uploads/{session['id']}/acknowledge")
    return {"kind": PROCESSOR, "path": session["path"]}


def attempt_job(job, work):
    """Does the job, and returns what to report."""
    try:
        with tempfile.TemporaryFile() as file:
            download(job, file)
            result = work(file, job.job["options"], job.progress)
        return {"status": "Processed", "outputs": [upload(job, result)]}
    except Stopped:
        return {"status": "Queued", "message": "The worker stops."}
    except Unavailable as error:
        return {"status": "Queued", "message": f"No answer: {error}"}
    except Exception as error:
        return {"status": "Error", "message": f"{type(error).__name__}: {error}"}


def run_job(claimed, work):
    """Runs a claimed job and reports its end. Returns how long to wait before the next claim."""
    upload_id = claimed["upload"]["id"]
    log.info("upload %s: attempt %s starts", upload_id, claimed["job"]["attempt"])
    try:
        with Job(claimed) as job:
            report = attempt_job(job, work)
            job.report(**report)
    except Refused as refused:
        # The lease was lost: the job runs elsewhere, or has ended, and this report has changed nothing.
        log.warning("upload %s: %s", upload_id, refused)
        return 0
    log.info("upload %s: reported %s %s", upload_id, report["status"], report.get("message", ""))
    # A job that is given back can be claimed again at once. The cause may last longer.
    return RETRY_SECONDS if report["status"] == "Queued" else 0


def main():
    logging.basicConfig(level="INFO", format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    module, _, function = os.environ.get("WORK", "").partition(":")
    work = getattr(importlib.import_module(module), function) if module else digest
    claim = {"processor": PROCESSOR, "limit": 1, "lease_seconds": LEASE_SECONDS, "wait_seconds": WAIT_SECONDS}
    while not stopping.is_set():
        try:
            pause = max((run_job(claimed, work) for claimed in call("/jobs/claim", claim)), default=0)
        except Unavailable as error:
            log.warning("no answer of the broker: %s", error)
            pause = RETRY_SECONDS
        deadline = time.monotonic() + pause
        while time.monotonic() < deadline and not stopping.is_set():
            time.sleep(0.2)


if __name__ == "__main__":
    main()
