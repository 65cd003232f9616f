"""Runs deploy/load/locustfile.py for some seconds against a real broker: every kind of request happens, and none
fails."""

import csv
import os
import subprocess

from stack import ROOT, run, running

SECONDS = os.environ.get("LOAD_SECONDS", "30")
EXPECTED = {
    "/uploads", "PUT to the store", "POST /uploads/{id}/acknowledge", "GET /datasets?prefix=&include=upload",
    "GET /uploads?prefix=", "GET /datasets/{path}/action/download", "POST /uploads/{id}/cancel",
}


def users_upload_and_list_without_a_failure(stack, folder):
    command = [
        ROOT / ".tools/load/bin/locust", "--locustfile", ROOT / "deploy/load/locustfile.py", "--host", stack.url,
        "--headless", "--users", "15", "--spawn-rate", "5", "--run-time", f"{SECONDS}s", "--stop-timeout", "30",
        "--csv", folder / "load", "--only-summary",
    ]
    env = {**os.environ, "UPLOAD_BROKER_KEY": stack.key}
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=folder)
    rows = {row["Name"]: row for row in csv.DictReader((folder / "load_stats.csv").open())}
    failed = {name: row["Failure Count"] for name, row in rows.items() if row["Failure Count"] != "0"}
    assert done.returncode == 0 and not failed, (failed, done.stderr[-2000:])
    missing = EXPECTED - rows.keys()
    assert not missing, missing
    total = rows["Aggregated"]
    print(f"    {total['Request Count']} requests, {float(total['Requests/s']):.0f}/s, "
          f"99 % within {total['99%']} ms")


if __name__ == "__main__":
    with running() as (stack, folder):
        run([("load: users upload and list without a failure",
              lambda: users_upload_and_list_without_a_failure(stack, folder))])
