"""Load as real users make it: they upload, acknowledge, list and download. The bytes go to the store.

    UPLOAD_BROKER_KEY=… .tools/load/bin/locust --locustfile deploy/load/locustfile.py \\
        --host http://127.0.0.1:8080 --headless --users 50 --spawn-rate 10 --run-time 1m

The key needs the scopes uploads:write, uploads:read, datasets:read and datasets:delete. Everything is written below
/load/, and removed again except for what is still in progress at the end. A request that fails makes the
exit code 1.
"""

import os
import random
import uuid

from locust import HttpUser, between, events, task

KEY = os.environ.get("UPLOAD_BROKER_KEY", "")
# Bytes of an upload, and how often that size is chosen.
SIZES = {200: 30, 4_000: 40, 60_000: 25, 1_000_000: 5}


@events.init.add_listener
def check_key(environment, **_):
    if not KEY:
        raise SystemExit("UPLOAD_BROKER_KEY is not set: it is the API key of the load")


class User(HttpUser):
    wait_time = between(0.2, 1)

    def on_start(self):
        self.folder = f"/load/{uuid.uuid4()}/"
        self.client.headers["authorization"] = f"Bearer {KEY}"
        self.mine: list[str] = []

    def on_stop(self):
        for path in self.mine:
            self.remove(path)

    def remove(self, path: str):
        self.client.delete(f"/datasets{path}", name="DELETE /datasets/{path}")

    def session(self, body: dict) -> dict | None:
        # The same key with each attempt: a repeated request makes no second upload.
        headers = {"idempotency-key": str(uuid.uuid4())}
        with self.client.post("/uploads", json=body, headers=headers, catch_response=True) as answer:
            if answer.status_code != 201:
                answer.failure(f"{answer.status_code}: {answer.text}")
                return None
            return answer.json()

    def put(self, upload: dict, data: bytes) -> bool:
        # Without the key of the broker: the store would take it for a signature.
        headers = {**upload["headers"], "authorization": None}
        with self.client.put(
            upload["url"], data=data, headers=headers, name="PUT to the store", catch_response=True
        ) as answer:
            if answer.status_code != 200:
                answer.failure(f"{answer.status_code}: {answer.text}")
            return answer.status_code == 200

    def acknowledge(self, upload_id: str) -> None:
        with self.client.post(
            f"/uploads/{upload_id}/acknowledge", name="POST /uploads/{id}/acknowledge", catch_response=True
        ) as answer:
            if answer.status_code != 200 or answer.json()["status"] not in ("Uploaded", "Processing", "Processed"):
                answer.failure(f"{answer.status_code}: {answer.text}")

    @task(10)
    def upload(self):
        size = random.choices(list(SIZES), SIZES.values())[0]
        path = f"{self.folder}{uuid.uuid4()}.bin"
        session = self.session({"path": path, "size": size})
        if session and self.put(session["upload"], os.urandom(size)):
            self.acknowledge(session["id"])
            self.mine.append(path)

    @task(2)
    def abandon(self):
        """A client that changes its mind."""
        session = self.session({"path": f"{self.folder}{uuid.uuid4()}.bin", "size": 10})
        if session:
            self.client.post(f"/uploads/{session['id']}/cancel", name="POST /uploads/{id}/cancel")

    @task(6)
    def list_folder(self):
        self.client.get(
            "/datasets", params={"prefix": self.folder, "include": "upload"}, name="GET /datasets?prefix=&include=upload"
        )

    @task(3)
    def list_uploads(self):
        self.client.get("/uploads", params={"prefix": self.folder, "limit": 20}, name="GET /uploads?prefix=")

    @task(4)
    def download(self):
        if self.mine:
            path = random.choice(self.mine)
            self.client.get(f"/datasets{path}/action/download?redirect=false", name="GET /datasets/{path}/action/download")

    @task(1)
    def delete(self):
        if len(self.mine) > 5:
            self.remove(self.mine.pop(0))
