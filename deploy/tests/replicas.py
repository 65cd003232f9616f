"""Two brokers on one Postgres and one store, behind nginx, are replaced under load: by themselves and by the previous
version.

Run it with benches/with-postgres.sh, which sets DATABASE_URL. PREVIOUS names the program of the commit before
the last migration."""

import os
import tempfile
import time
from pathlib import Path

from fleet import Replica, Store, call, create_and_put, make_key, stop_all
from proxy import Proxy
from stack import broker, run
from users import Users

# nginx sends no requests to a broker for this time after it has failed (fail_timeout in brokers.conf), and somewhat
# longer.
PAUSE = 7


def versions_work_side_by_side(replicas: list[Replica], key: str, previous: str, current: str):
    """Each creates what the other one acknowledges, on the schema of the newer one."""
    one, other = replicas
    one.start(previous)
    one.command(current, "migrate")
    other.start(current)
    for number, (creator, prover) in enumerate([(one, other), (other, one), (one, one), (other, other)]):
        session = create_and_put(key, creator.port, f"/side-by-side/{number}.csv", b"ok")
        proven = call(key, prover.port, "POST", f"/uploads/{session['id']}/acknowledge", {})
        assert proven["status"] == "Uploaded", proven
        for reader in replicas:
            events = call(key, reader.port, "GET", f"/uploads/{session['id']}/events")
            assert [event["type"] for event in events] == ["dataset.uploaded"], events


def no_request_fails(folder: Path, replicas: list[Replica], key: str, programs: list[str]):
    """Users upload and list through nginx, while each replica is stopped and started with each of the programs."""
    proxy = Proxy(folder, "compose", [replica.port for replica in replicas])
    try:
        users = Users(folder, proxy.port, key, 10)
        try:
            time.sleep(5)
            for program in programs:
                for replica in replicas:
                    replica.stop()
                    replica.start(program)
                    time.sleep(PAUSE)
        finally:
            requests = users.stop()
    finally:
        proxy.process.stop()
    print(f"    {len(programs) * len(replicas)} restarts, {requests} requests")


if __name__ == "__main__":
    current, previous = broker(), os.environ["PREVIOUS"]
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        folder = Path(name)
        store = Store(folder)
        replicas = [Replica(folder, store, name) for name in ("one", "other")]
        try:
            replicas[0].command(previous, "migrate")
            key = make_key(replicas[0], previous)["key"]
            run([
                ("upgrade: the previous version and this one work side by side",
                 lambda: versions_work_side_by_side(replicas, key, previous, current)),
                ("upgrade and rollback: no request fails while replicas are replaced",
                 lambda: no_request_fails(folder, replicas, key, [current, previous, current])),
            ])
        finally:
            stop_all(*(replica.process for replica in replicas), store.process)
