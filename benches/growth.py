"""The Python part of growth.sh: measures requests and compares the results."""

import http.client
import json
import statistics
import sys
import time
from urllib.parse import urlsplit


class Broker:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.stores = {}

    def ask(self, method, path, body=None, expected=(200, 201, 204)):
        data = None if body is None else json.dumps(body)
        headers = {} if body is None else {"content-type": "application/json"}
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in expected:
            raise SystemExit(f"{method} {path}: {answer.status} {text}")
        return json.loads(text) if text else None

    def create(self, path):
        return self.ask("POST", "/uploads", {"path": path, "overwrite": True, "size": 1})

    def put(self, session):
        upload = session["upload"]
        url = urlsplit(upload["url"])
        store = self.stores.get(url.netloc)
        if store is None:
            store = self.stores[url.netloc] = http.client.HTTPConnection(url.netloc)
        try:
            store.request("PUT", f"{url.path}?{url.query}", b"x", upload["headers"])
            answer = store.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError):
            # The server closes a connection after 1,000 requests.
            del self.stores[url.netloc]
            return self.put(session)
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"PUT: {answer.status}")

    def sent(self, path):
        session = self.create(path)
        self.put(session)
        return session["id"]


LISTS = [
    "/uploads?limit=100",
    "/uploads?limit=100&status=Uploaded",
    "/uploads?limit=100&status=Pending",
    "/uploads?limit=100&status=Error",
    "/uploads?limit=100&status=Pending&status=Error",
    "/uploads?limit=100&path=/versions.csv",
    "/uploads?limit=100&path=/versions.csv&status=Uploaded",
    "/uploads?limit=100&path=/versions.csv&status=Superseded",
    "/uploads?limit=100&path=/nothing.csv",
    "/uploads?limit=100&prefix=/growth/RUN/",
    "/uploads?limit=100&prefix=/nothing/",
    "/uploads?limit=100&prefix=/growth/RUN/&status=Uploaded",
    "/datasets?limit=100&include=upload",
    "/audit?limit=100",
    "/audit?limit=100&prefix=/growth/RUN/",
    "/audit?limit=100&prefix=/nothing/",
    "/audit?limit=100&action=upload.created",
    "/audit?limit=100&action=upload.cancelled",
]


def measure(port, times):
    broker = Broker(port)
    run = f"{time.time_ns()}"
    # The uploads that the listings return exist in both runs.
    for number in range(150):
        upload = broker.sent(f"/growth/{run}/{number}.csv")
        broker.ask("POST", f"/uploads/{upload}/acknowledge")
        broker.create(f"/growth/{run}/open/{number}.csv")
        wrong = broker.sent(f"/growth/{run}/wrong/{number}.csv")
        broker.ask("POST", f"/uploads/{wrong}/acknowledge", {"etag": '"wrong"'}, expected=(422,))
    last = broker.create(f"/growth/{run}/last.csv")["id"]

    def timed(name, act, prepare=lambda _: None):
        took = []
        for number in range(times + 20):
            given = prepare(number)
            start = time.perf_counter()
            act(given, number)
            took.append(time.perf_counter() - start)
        print(json.dumps([name, statistics.median(took[20:]) * 1000]), flush=True)

    def acknowledge(given, _):
        broker.ask("POST", f"/uploads/{given}/acknowledge")

    timed("create", lambda _, n: broker.create(f"/growth/{run}/create/{n}.csv"))
    fresh = lambda n: broker.sent(f"/growth/{run}/fresh/{n}.csv")
    timed("acknowledge at a new path", acknowledge, fresh)
    again = lambda _: broker.sent("/versions.csv")
    timed("acknowledge at a path with versions", acknowledge, again)

    def after_delete(_):
        broker.ask("DELETE", "/datasets/versions.csv")
        return broker.sent("/versions.csv")

    timed("acknowledge there after a delete", acknowledge, after_delete)
    timed("GET /uploads/{id}", lambda *_: broker.ask("GET", f"/uploads/{last}"))
    timed("GET /uploads/{id}/events", lambda *_: broker.ask("GET", f"/uploads/{last}/events"))
    timed("GET /datasets/{path}", lambda *_: broker.ask("GET", "/datasets/versions.csv"))
    opened = lambda n: broker.create(f"/growth/{run}/cancel/{n}.csv")["id"]
    timed("cancel", lambda id, _: broker.ask("POST", f"/uploads/{id}/cancel"), opened)
    for path in LISTS:
        asked = path.replace("RUN", run)
        timed(f"GET {path}", lambda *_: broker.ask("GET", asked))


def compare(empty, grown):
    with open(empty, encoding="utf-8") as lines:
        before = dict(json.loads(line) for line in lines)
    with open(grown, encoding="utf-8") as lines:
        after = dict(json.loads(line) for line in lines)
    for name, old in before.items():
        new = after[name]
        verdict = "ok" if new <= 2 * old else "MISSED"
        figures = f"{old:6.2f} → {new:6.2f} ms"
        print(f"{name:<58} {figures}   at most 2 times    {verdict}")


if sys.argv[1] == "measure":
    measure(int(sys.argv[2]), int(sys.argv[3]))
else:
    compare(sys.argv[2], sys.argv[3])
