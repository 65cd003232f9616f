"""Two brokers behind nginx, with one database and one store: they are replaced one after the other under load, by
themselves and by the previous version.

Run it with benches/with-postgres.sh, which sets DATABASE_URL. PREVIOUS names the program of the commit before
the last migration."""

import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from proxy import Proxy
from stack import PATIENCE, ROOT, Process, broker, free_port, get, run, wait_for

BUCKET = "uploads"
ACCOUNT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
# nginx sends no requests to a broker for this time after it has failed (fail_timeout in brokers.conf), and somewhat
# longer.
PAUSE = 7


class Store:
    """ministack with an empty bucket."""

    def __init__(self, folder: Path):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        env = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "s3", "AUTH": "false"}
        self.process = Process([str(ROOT / ".venv/bin/ministack")], folder / "store.log", env)
        wait_for("the store", lambda: get(f"{self.url}/_ministack/ready") == 200)
        make = f"import boto3; boto3.client('s3', endpoint_url='{self.url}').create_bucket(Bucket='{BUCKET}')"
        subprocess.run([ROOT / ".venv/bin/python3", "-c", make], env={**os.environ, **ACCOUNT}, check=True)


class Replica:
    """A broker, which can be stopped, and started again with another program."""

    def __init__(self, folder: Path, store: Store, name: str):
        self.log, self.port = folder / f"{name}.log", free_port()
        self.process: Process | None = None
        self.settings = {
            **ACCOUNT,
            "AWS_ENDPOINT_URL_S3": store.url,
            "BROKER_S3_BUCKET": BUCKET,
            "BROKER_BIND": f"127.0.0.1:{self.port}",
            "BROKER_MIGRATE": "false",
            "BROKER_TRUSTED_PROXIES": "127.0.0.1/32",
        }

    def command(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [program, *arguments], env={**os.environ, **self.settings}, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def start(self, program: str) -> None:
        self.process = Process([program, "serve"], self.log, self.settings)
        wait_for("a broker", lambda: get(f"http://127.0.0.1:{self.port}/readyz") == 200)

    def stop(self) -> None:
        code = self.process.stop()
        assert code == 0, (code, self.process.output()[-2000:])


def key_of(replica: Replica, program: str) -> str:
    scopes = "uploads:write,uploads:read,datasets:read,datasets:delete"
    return json.loads(replica.command(program, "keys", "create", "--json", "--scopes", scopes))["key"]


def call(key: str, port: int, method: str, path: str, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]}") from None


def versions_work_side_by_side(replicas: list[Replica], key: str, previous: str, current: str):
    """Each creates what the other one acknowledges, on the schema of the newer one."""
    one, other = replicas
    one.start(previous)
    one.command(current, "migrate")
    other.start(current)
    for number, (creator, prover) in enumerate([(one, other), (other, one), (one, one), (other, other)]):
        path = f"/side-by-side/{number}.csv"
        session = call(key, creator.port, "POST", "/uploads", {"path": path, "size": 2})
        upload = session["upload"]
        urllib.request.urlopen(urllib.request.Request(upload["url"], b"ok", upload["headers"], method="PUT"))
        proven = call(key, prover.port, "POST", f"/uploads/{session['id']}/acknowledge", {})
        assert proven["status"] == "Uploaded", proven
        for reader in replicas:
            events = call(key, reader.port, "GET", f"/uploads/{session['id']}/events")
            assert [event["type"] for event in events] == ["dataset.uploaded"], events


def no_request_fails(folder: Path, replicas: list[Replica], key: str, programs: list[str]):
    """Users upload and list through nginx, while each replica is stopped and started with each of the programs."""
    proxy = Proxy(folder, "compose", [replica.port for replica in replicas])
    load = subprocess.Popen(
        [
            ROOT / ".tools/load/bin/locust", "--locustfile", ROOT / "deploy/load/locustfile.py",
            "--host", f"http://127.0.0.1:{proxy.port}", "--headless", "--users", "10", "--spawn-rate", "10",
            "--stop-timeout", "30", "--only-summary",
        ],
        env={**os.environ, "UPLOAD_BROKER_KEY": key}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=folder,
    )
    try:
        time.sleep(5)
        for program in programs:
            for replica in replicas:
                replica.stop()
                replica.start(program)
                time.sleep(PAUSE)
        assert load.poll() is None, "the load ended before the last restart"
        load.terminate()
        output, _ = load.communicate(timeout=PATIENCE)
    finally:
        load.kill()
        proxy.process.stop()
    total = next(line for line in output.splitlines() if "Aggregated" in line).split()
    print(f"    {len(programs) * len(replicas)} restarts, {total[1]} requests")
    assert load.returncode == 0, output[-4000:]


if __name__ == "__main__":
    current, previous = broker(), os.environ["PREVIOUS"]
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        folder = Path(name)
        store = Store(folder)
        replicas = [Replica(folder, store, name) for name in ("one", "other")]
        try:
            replicas[0].command(previous, "migrate")
            key = key_of(replicas[0], previous)
            run([
                ("upgrade: the previous version and this one work side by side",
                 lambda: versions_work_side_by_side(replicas, key, previous, current)),
                ("upgrade and rollback: no request fails while replicas are replaced",
                 lambda: no_request_fails(folder, replicas, key, [current, previous, current])),
            ])
        finally:
            for process in [*(replica.process for replica in replicas), store.process]:
                if process:
                    process.stop()
