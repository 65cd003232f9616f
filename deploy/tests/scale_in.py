"""One of two workers is removed in the middle of its jobs: the other one does them, each once.

Run it with benches/with-postgres.sh, which sets DATABASE_URL."""

import re
import tempfile
import time
import urllib.request
from pathlib import Path

from fleet import Replica, Store, Worker, call, make_key, stop_all, upload
from stack import broker, run, wait_for
from users import Users

SLOTS = 3
# What a worker may take to stop, half of which its jobs may go on. They take longer than that.
STOP_SECONDS = 10
JOB_SECONDS = 14
# Only debug builds have the processor trial. It sleeps, so that no machine is too fast for this test.
RULES = f"""
[[rule]]
processor = "trial"
external = true
paths = ["/slow/**"]
options = {{ sleep = {JOB_SECONDS * 1000} }}
"""


def jobs_running(worker: Worker) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{worker.metrics}/metrics", timeout=30) as answer:
        found = re.search(r'^upload_broker_jobs_running\{processor="trial"\} (\d+)$', answer.read().decode(), re.MULTILINE)
    return int(found[1]) if found else 0


def each_job_ends_once_after_a_worker_was_removed(replica: Replica, workers: list[Worker], key: str):
    removed, other = workers
    uploads = [upload(key, replica.port, f"/slow/{number}.bin", b"bytes") for number in range(2 * SLOTS)]

    def jobs() -> list[dict]:
        return [job for one in uploads for job in call(key, replica.port, "GET", f"/uploads/{one}/jobs")]

    wait_for("the jobs", lambda: [jobs_running(worker) for worker in workers] == [SLOTS, SLOTS])
    start = time.monotonic()
    removed.stop()
    took = time.monotonic() - start
    # The lease is far longer than this test: what runs now is what the other worker runs.
    after = jobs()
    running = [job for job in after if job["status"] == "Running"]
    assert took < STOP_SECONDS and len(running) <= SLOTS, (took, after)
    for one in uploads:
        wait_for("the jobs", lambda one=one: call(key, replica.port, "GET", f"/uploads/{one}")["status"] == "Processed")
    assert [(job["status"], job["attempt"]) for job in jobs()] == [("Succeeded", 1)] * len(uploads), jobs()
    for one in uploads:
        events = [event["type"] for event in call(key, replica.port, "GET", f"/uploads/{one}/events")]
        assert events.count("dataset.processed") == 1, events
        results = call(key, replica.port, "GET", f"/uploads/{one}/results")
        assert len(results) == 1, results
    print(f"    stopped in {took:.1f} s, all jobs ended in {time.monotonic() - start:.1f} s")


def under_load(folder: Path, replica: Replica, key: str, test) -> None:
    users = Users(folder, replica.port, key, 6)
    try:
        test()
    finally:
        requests = users.stop(may_fail=True)
    print(f"    {requests} requests")


if __name__ == "__main__":
    program = broker()
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        folder = Path(name)
        (folder / "rules.toml").write_text(RULES)
        settings = {
            "BROKER_PROCESSORS_FILE": str(folder / "rules.toml"), "BROKER_WORKER_PROCESSORS": "trial",
            "BROKER_WORKER_JOBS": str(SLOTS), "BROKER_WORKER_LEASE_SECONDS": "600",
        }
        store = Store(folder)
        replica = Replica(folder, store, "broker", **settings)
        workers = [
            Worker(folder, store, name, **settings, BROKER_SHUTDOWN_SECONDS=str(STOP_SECONDS)) for name in ("one", "other")
        ]
        try:
            replica.command(program, "migrate")
            for one in (replica, *workers):
                one.start(program)
            key = make_key(replica, program)["key"]
            run([
                ("scaling in: each job ends once after a worker was removed in the middle of its jobs",
                 lambda: under_load(folder, replica, key, lambda: each_job_ends_once_after_a_worker_was_removed(
                     replica, workers, key))),
            ])
        finally:
            stop_all(*(one.process for one in (*workers, replica)), store.process)
