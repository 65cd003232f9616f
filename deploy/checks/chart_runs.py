"""Runs the processes of the chart on this machine, with their environment, and sends them their own probes.

Takes the binary of the broker. DATABASE_URL is an empty Postgres (benches/with-postgres.sh). S3 is ministack.
"""

import copy
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from chart_broker import environment
from lib.helm import CHART, render
from lib.pods import containers, name, of_kind
from lib.report import ROOT, Report

SECONDS = 60
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "check", "AWS_SECRET_ACCESS_KEY": "check", "AWS_REGION": "eu-central-1"}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def status(url):
    """The status of a GET without a key; 0 without an answer."""
    try:
        with urllib.request.urlopen(url, timeout=15) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        return answer.code
    except OSError:
        return 0


def wait_for(url, accepted):
    """Asks until the status is an accepted one, and returns the last one."""
    end = time.monotonic() + SECONDS
    while (found := status(url)) not in accepted and time.monotonic() < end:
        time.sleep(0.1)
    return found


def start_store(folder):
    """Starts ministack, and makes the bucket of the values."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    log = (folder / "store.log").open("w")
    process = subprocess.Popen([ROOT / ".venv/bin/ministack"], stdout=log, stderr=log, env={
        **os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "s3", "TMPDIR": str(folder)})
    wait_for(address, {200, 400, 403, 404})
    made = ("import boto3, sys; boto3.client('s3', endpoint_url=sys.argv[1]).create_bucket(Bucket='datasets', "
            "CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})")
    subprocess.run([ROOT / ".venv/bin/python3", "-c", made, address], check=True,
                   env={**os.environ, **CREDENTIALS, "AWS_DEFAULT_REGION": "eu-central-1"})
    return process, address


def start(broker, objects, one, store, folder):
    """Starts the container of a Deployment. Returns its process and the address of each of its ports."""
    container = containers(one)[0]
    variables = environment(objects, one, container, folder / name(one))
    addresses = {"http": f"127.0.0.1:{free_port()}", "metrics": f"127.0.0.1:{free_port()}"}
    for key in ("BROKER_BIND", "BROKER_WORKER_BIND", "BROKER_METRICS_BIND"):
        if key in variables:
            variables[key] = addresses["metrics" if "METRICS" in key else "http"]
    variables |= {**CREDENTIALS, "AWS_ENDPOINT_URL": store, "DATABASE_URL": os.environ["DATABASE_URL"]}
    log = (folder / f"{one['metadata']['name']}.log").open("w")
    return subprocess.Popen([broker, *container["args"]], env=variables, stderr=log), addresses


def probe_faults(one, addresses):
    """The probes of a container that do not get 200."""
    faults = []
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = containers(one)[0][kind]["httpGet"]
        if (found := wait_for(f"http://{addresses[probe['port']]}{probe['path']}", {200, 401, 404})) != 200:
            faults.append(f"{name(one)}: {kind} of {probe['path']} gets {found}")
    return faults


def metric_faults(one, addresses):
    """Metrics are on the port for them, and not on the port of the API."""
    found = {port: status(f"http://{address}/metrics") for port, address in addresses.items()}
    return [] if found == {"metrics": 200, "http": 404} else [f"{name(one)}: /metrics gets {found}"]


def main():
    broker = sys.argv[1]
    report = Report("running chart")
    objects = render(CHART / "ci/processing-values.yaml")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        job = containers(of_kind(objects, "Job")[0])[0]
        ended = subprocess.run([broker, *job["args"]], env={"DATABASE_URL": os.environ["DATABASE_URL"]},
                               capture_output=True, text=True, check=False)
        report.check("the Job migrates an empty database", [] if ended.returncode == 0 else [ended.stderr])
        running, processes = [], []
        try:
            store, address = start_store(folder)
            processes.append(store)
            for one in of_kind(objects, "Deployment"):
                process, addresses = start(broker, objects, one, address, folder)
                processes.append(process)
                running.append((one, process, addresses))
            for one, _, addresses in running:
                report.check(f"{name(one)}: its probes get 200 without a key", probe_faults(one, addresses))
                report.check(f"{name(one)}: its metrics are not on the port of the API", metric_faults(one, addresses))
            one, _, addresses = next(each for each in running if name(each[0]).endswith("-http"))
            broken = copy.deepcopy(one)
            containers(broken)[0]["readinessProbe"]["httpGet"]["path"] = "/uploads"
            report.refuses("a probe of a path that needs a key", probe_faults(broken, addresses), "gets 401")
            report.refuses("metrics on the port of the API", metric_faults(one, {
                **addresses, "http": addresses["metrics"]}), "/metrics gets")
            for _, process, _ in running:
                process.terminate()
            for one, process, _ in running:
                code = process.wait(SECONDS)
                report.check(f"{name(one)}: stops in time, and in order", [] if code == 0 else [f"exit code {code}"])
        finally:
            for process in processes:
                process.kill()
    report.finish()


if __name__ == "__main__":
    main()
