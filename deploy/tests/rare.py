"""Makes happen what a healthy installation seldom has, so that its series exist."""

import concurrent.futures
import http.client
import signal

from fleet import BUCKET, Replica, Store, call, create_and_put, make_key, upload
from stack import wait_for

# Another client than the users.
ADDRESS = "127.0.0.2"


def status_of(port: int, method: str, path: str, key: str = "") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(ADDRESS, 0))
    connection.request(method, path, headers={"authorization": f"Bearer {key}"} if key else {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def rate_limit_is_reached(replica: Replica, program: str) -> None:
    """The broker starts again with a limit that every machine is fast enough for."""
    replica.stop()
    replica.settings["BROKER_RATE_LIMIT_PER_ADDRESS"] = "1:1"
    replica.start(program)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        wait_for("the rate limit", lambda: 429 in pool.map(lambda _: status_of(replica.port, "GET", "/uploads"), range(20)))


def credential_of_a_stream_is_revoked(replica: Replica, program: str) -> None:
    made = make_key(replica, program)
    connection = http.client.HTTPConnection("127.0.0.1", replica.port, timeout=60)
    headers = {"authorization": f"Bearer {made['key']}", "accept": "text/event-stream"}
    connection.request("GET", "/events", headers=headers)
    stream = connection.getresponse()
    assert stream.status == 200, stream.read()
    replica.command(program, "keys", "revoke", made["id"])
    assert b"event: end" in stream.read()


def another_object_arrives(replica: Replica, store: Store, key: str) -> None:
    session = call(key, replica.port, "POST", "/uploads", {"path": "/rare/wrong.csv", "size": 2})
    store.client("s3").put_object(Bucket=BUCKET, Key="rare/wrong.csv", Body=b"longer")
    assert 400 <= status_of(replica.port, "POST", f"/uploads/{session['id']}/acknowledge", key) < 500


def proven_object_is_removed(replica: Replica, store: Store, key: str) -> None:
    """The broker learns it from the event of S3."""
    found = upload(key, replica.port, "/rare/removed.csv", b"ok")
    store.client("s3").delete_object(Bucket=BUCKET, Key="rare/removed.csv")
    wait_for("the drift", lambda: call(key, replica.port, "GET", f"/uploads/{found}").get("drift"))


def job_fails(replica: Replica, key: str) -> None:
    found = upload(key, replica.port, "/plays/wrong.csv", b"Title,Day\na,b\n")
    wait_for("the failed job", lambda: call(key, replica.port, "GET", f"/uploads/{found}")["status"] == "Error")


def store_does_not_answer(replica: Replica, store: Store, key: str) -> None:
    session = create_and_put(key, replica.port, "/rare/late.csv", b"ok")
    path = f"/uploads/{session['id']}/acknowledge"
    store.process.child.send_signal(signal.SIGSTOP)
    try:
        assert status_of(replica.port, "POST", path, key) == 503
    finally:
        store.process.child.send_signal(signal.SIGCONT)
    wait_for("the store", lambda: status_of(replica.port, "POST", path, key) == 200)


def all_happens(replicas: list[Replica], store: Store, key: str, program: str) -> None:
    replica, other = replicas
    rate_limit_is_reached(other, program)
    credential_of_a_stream_is_revoked(replica, program)
    another_object_arrives(replica, store, key)
    proven_object_is_removed(replica, store, key)
    job_fails(replica, key)
    store_does_not_answer(replica, store, key)
