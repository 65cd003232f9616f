"""The Python part of quota.sh: callers that send requests while a command runs.

    quota.py PORT KEY_OF_OTHERS KEY_OF_THE_TENANT COMMAND…
"""

import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

CALLERS = 8


class Caller(threading.Thread):
    def __init__(self, port, key, folder, stop):
        super().__init__()
        self.broker = http.client.HTTPConnection("127.0.0.1", port)
        self.key, self.folder, self.stop = key, folder, stop
        # When each request ended, how long it took in milliseconds, and its status.
        self.requests = []

    def ask(self, path, body):
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        started = time.monotonic()
        self.broker.request("POST", path, json.dumps(body), headers)
        answer = self.broker.getresponse()
        text = answer.read()
        ended = time.monotonic()
        self.requests.append((ended, (ended - started) * 1000, answer.status))
        return json.loads(text) if answer.status < 300 else None

    def run(self):
        number = 0
        while not self.stop.is_set():
            number += 1
            session = self.ask("/uploads", {"path": f"/{self.folder}/{number}.csv", "size": 1})
            if session is None:
                continue
            upload = session["upload"]
            url = urlsplit(upload["url"])
            store = http.client.HTTPConnection(url.netloc)
            store.request("PUT", f"{url.path}?{url.query}", b"x", upload["headers"])
            store.getresponse().read()
            store.close()
            self.ask(f"/uploads/{session['id']}/acknowledge", {})


def main():
    port, others, own, *command = sys.argv[1:]
    stop = threading.Event()
    callers = [Caller(int(port), others, f"c{number}", stop) for number in range(CALLERS)]
    tenant = Caller(int(port), own, "own", stop)
    for caller in [*callers, tenant]:
        caller.start()
    time.sleep(3)
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=sys.stderr)
    seconds = time.monotonic() - started
    # Brokers apply the change within seconds.
    time.sleep(8)
    stop.set()
    for caller in [*callers, tenant]:
        caller.join()
    after = [request for caller in callers for request in caller.requests if request[0] > started]
    mine = [request for request in tenant.requests if request[0] > started]
    print("seconds", f"{seconds:.1f}")
    print("requests", len(after))
    print("median", f"{statistics.median(took for _, took, _ in after):.1f}")
    print("slowest", f"{max(took for _, took, _ in after):.0f}")
    print("failed", sum(status >= 300 for _, _, status in [*after, *mine]))
    print("own", f"{max((took for _, took, _ in mine), default=0):.0f}")


main()
