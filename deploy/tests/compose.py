"""Follows the pages for Docker Compose and Elastic Beanstalk with a real Docker: starts the services, uploads through
nginx, kills and replaces brokers under load, and stops. deploy/tests/compose.sh starts it."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from fleet import SCOPES, TABLES_AND_DOCUMENTS_RULES, call, is_processed, upload
from stack import PATIENCE, ROOT, get, run, wait_for
from users import Users

# Where compose.yaml publishes nginx.
PORT = 8080
IMAGE = "upload-broker:0.1.0"
PASSWORD = "pass-word-1"
ENVIRONMENT = {
    "POSTGRES_PASSWORD": PASSWORD, "BROKER_S3_BUCKET": "uploads", "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "trial", "AWS_SECRET_ACCESS_KEY": "trial-secret",
}
LONG_RUNNING = ("postgres", "store", "broker-1", "broker-2", "worker", "nginx")


def called(*command: str, folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, (command, done.returncode, (done.stdout + done.stderr)[-3000:])
    return done.stdout


class Project:
    """Services of compose files in a folder."""

    def __init__(self, folder: Path, *files: str):
        self.folder = folder
        self.options = [word for file in files for word in ("--file", file)]

    def compose(self, *arguments: str) -> str:
        return called("docker-compose", *self.options, *arguments, folder=self.folder)

    def container(self, service: str) -> dict:
        """What Docker knows of the container of a service; empty if there is none."""
        found = self.compose("ps", "--all", "--quiet", service).split()
        return json.loads(called("docker", "inspect", found[0]))[0] if found else {}

    def is_healthy(self, service: str) -> bool:
        state = self.container(service).get("State", {})
        return state.get("Running", False) and state.get("Health", {}).get("Status", "healthy") == "healthy"

    def wait_until_healthy(self, *services: str) -> None:
        for service in services:
            try:
                wait_for(f"{service} to be healthy", lambda service=service: self.is_healthy(service), 120)
            except AssertionError as error:
                raise AssertionError(f"{error}; {self.compose('logs', '--tail', '20', service)}") from None


class Compose:
    """deploy/docker, copied, with an .env and rules as its page says."""

    def __init__(self, folder: Path):
        self.folder = folder
        for part in ("docker", "nginx"):
            shutil.copytree(ROOT / "deploy" / part, folder / part)
        place = folder / "docker"
        example = (place / "env.example").read_text()
        for name, value in ENVIRONMENT.items():
            example, count = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", example)
            assert count == 1, f"env.example has {name} {count} times"
        (place / ".env").write_text(example)
        (place / "rules.toml").write_text(TABLES_AND_DOCUMENTS_RULES)
        self.project = Project(place, "compose.yaml", "compose.store.yaml")

    def in_broker(self, *command: str) -> str:
        return self.project.compose("exec", "-T", "broker-1", "upload-broker", *command)

    def the_services_start_in_their_order(self):
        self.project.compose("up", "--detach", "--no-build")
        self.project.wait_until_healthy(*LONG_RUNNING)
        for service in ("migrate", "bucket"):
            state = self.project.container(service)["State"]
            assert (state["Status"], state["ExitCode"]) == ("exited", 0), (service, state)

    def the_doctor_is_content_and_makes_a_key(self):
        self.in_broker("doctor")
        self.key = json.loads(self.in_broker("keys", "create", "--json", "--scopes", SCOPES))["key"]

    def an_upload_through_nginx_is_proven_and_processed(self):
        self.table = upload(self.key, PORT, "/in/table.csv", b"a\n1\n1\n2\n")
        wait_for("the worker", lambda: is_processed(self.key, PORT, self.table), 120)
        assert call(self.key, PORT, "GET", f"/uploads/{self.table}/results"), "no results"
        link = call(self.key, PORT, "GET", "/datasets/in/table.csv/action/download?redirect=false")
        assert urllib.request.urlopen(link["url"]).read() == b"a\n1\n1\n2\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/") as answer:
            assert answer.headers["content-type"].startswith("text/html"), answer.headers
        assert get(f"http://127.0.0.1:{PORT}/metrics") == 404

    def brokers_know_the_client_behind_nginx(self):
        call(self.key, PORT, "GET", "/datasets?prefix=/clients/")
        lines = self.project.compose("logs", "--no-color", "broker-1", "broker-2").splitlines()
        clients = {found[1] for line in lines if "/datasets" in line and (found := re.search(r'"client":"([^"]+)"', line))}
        # A port that Docker publishes has the address of the network's gateway.
        assert clients and clients <= {"172.30.80.1"}, clients

    def services_have_no_rights(self):
        for service in ("broker-1", "broker-2", "worker", "nginx"):
            container = self.project.container(service)
            host = container["HostConfig"]
            assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"], (service, host)
            processes = Path(f"/proc/{container['State']['Pid']}/status").read_text()
            for name, value in (("CapEff", "0000000000000000"), ("CapBnd", "0000000000000000"), ("NoNewPrivs", "1")):
                assert re.search(rf"^{name}:\s+{value}$", processes, re.MULTILINE), (service, name, processes)
            assert re.search(r"^Uid:\s+(10001|101)\t", processes, re.MULTILINE), (service, processes)

    def a_broker_that_is_killed_starts_again_and_nginx_asks_the_other(self):
        before = self.project.container("broker-1")
        os.kill(before["State"]["Pid"], signal.SIGKILL)
        for number in range(30):
            call(self.key, PORT, "GET", f"/datasets?prefix=/{number}/")
        wait_for("another process", lambda: self.project.container("broker-1")["RestartCount"] > before["RestartCount"])
        self.project.wait_until_healthy("broker-1")

    def an_upgrade_fails_no_request(self):
        users = Users(self.folder, PORT, self.key, 5)
        try:
            before = {service: self.project.container(service)["Id"] for service in ("broker-1", "broker-2", "worker")}
            self.project.compose("run", "--rm", "migrate")
            for services in (["broker-1"], ["broker-2", "worker"]):
                self.project.compose("up", "--detach", "--no-deps", "--no-build", "--force-recreate", *services)
                self.project.wait_until_healthy(*services)
            after = {service: self.project.container(service)["Id"] for service in before}
            assert not set(before.values()) & set(after.values()), (before, after)
        finally:
            print(f"    {users.stop()} requests, none failed")

    def everything_stops_in_time_and_keeps_its_data(self):
        begin = time.monotonic()
        self.project.compose("stop")
        print(f"    stopped after {time.monotonic() - begin:.1f} s")
        for service in ("broker-1", "broker-2", "worker", "postgres"):
            state = self.project.container(service)["State"]
            assert state["ExitCode"] == 0, (service, state, self.project.compose("logs", "--tail", "20", service))
        self.project.compose("down")
        self.project.compose("up", "--detach", "--no-build")
        self.project.wait_until_healthy(*LONG_RUNNING)
        assert is_processed(self.key, PORT, self.table)

    def end(self) -> None:
        subprocess.run(["docker-compose", *self.project.options, "down", "--volumes", "--timeout", "5"],
                       cwd=self.project.folder, capture_output=True, timeout=PATIENCE)


class Beanstalk:
    """The bundle on one instance. Compose's own Postgres and store stand in for RDS and S3."""

    def __init__(self, folder: Path, compose: Compose):
        self.folder, self.compose = folder / "beanstalk", compose

    def the_bundle_starts_on_an_instance(self):
        rules = self.folder.parent / "docker/rules.toml"
        bundle = self.folder.parent / "bundle.zip"
        authorities = self.folder.parent / "rds.pem"
        # Any certificates: Postgres here has no TLS.
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", authorities)
        called("python3", str(ROOT / "deploy/beanstalk/bundle.py"), IMAGE, str(authorities), str(bundle), str(rules))
        shutil.unpack_archive(bundle, self.folder)
        for file in self.folder.rglob("*"):
            file.chmod(0o755 if file.is_dir() else 0o644)
        # The networks of both have the same addresses, and the services of an instance are elsewhere.
        self.compose.project.compose("down")
        self.network = "elsewhere"
        called("docker", "network", "create", "--subnet", "172.31.80.0/24", self.network)
        volume = "docker_{}:{}".format
        self.start("postgres", "docker.io/library/postgres:17-bookworm", "5432", volume("postgres", "/var/lib/postgresql/data"),
                   POSTGRES_USER="broker", POSTGRES_DB="broker", POSTGRES_PASSWORD=PASSWORD)
        self.start("store", "docker.io/chrislusf/seaweedfs:4.48", "8333", volume("store", "/data"),
                   "server", "-s3", "-dir=/data", "-s3.port=8333", "-master.volumeSizeLimitMB=1024", "-volume.max=0",
                   **{name: value for name, value in ENVIRONMENT.items() if name.startswith("AWS_")})
        gateway = "172.31.80.1"
        properties = {
            **{name: value for name, value in ENVIRONMENT.items() if name != "POSTGRES_PASSWORD"},
            "DATABASE_URL": f"postgres://broker:{PASSWORD}@{gateway}:5432/broker?sslmode=disable",
            "AWS_ENDPOINT_URL_S3": f"http://{gateway}:8333",
            "BROKER_S3_PUBLIC_ENDPOINT": "http://127.0.0.1:8333",
            "BROKER_ROLES": "http,relay,janitor,worker",
            "BROKER_TRUSTED_PROXIES": "172.30.80.10",
        }
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        self.project = Project(self.folder, "docker-compose.yml")
        self.project.compose("up", "--detach")
        self.project.wait_until_healthy("broker", "nginx")
        # What the load balancer asks.
        wait_for("the load balancer's check", lambda: get("http://127.0.0.1:80/readyz") == 200, 120)

    def start(self, name: str, image: str, port: str, volume: str, *command: str, **variables: str) -> None:
        variables = [word for key, value in variables.items() for word in ("--env", f"{key}={value}")]
        called("docker", "run", "--detach", "--name", name, "--network", self.network, "--publish", f"{port}:{port}",
               "--volume", volume, *variables, image, *command)

    def the_instance_has_the_data_and_processes_what_arrives(self):
        key = self.compose.key
        assert is_processed(key, 80, self.compose.table)
        table = upload(key, 80, "/in/second.csv", b"a\n1\n")
        wait_for("the worker", lambda: is_processed(key, 80, table), 120)

    def the_instance_stops_in_time(self):
        self.project.compose("stop")
        state = self.project.container("broker")["State"]
        assert state["ExitCode"] == 0, (state, self.project.compose("logs", "--tail", "20", "broker"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        Path(name).chmod(0o755)
        compose = Compose(Path(name))
        beanstalk = Beanstalk(Path(name), compose)
        tests = [
            compose.the_services_start_in_their_order, compose.the_doctor_is_content_and_makes_a_key,
            compose.an_upload_through_nginx_is_proven_and_processed, compose.brokers_know_the_client_behind_nginx,
            compose.services_have_no_rights, compose.a_broker_that_is_killed_starts_again_and_nginx_asks_the_other,
            compose.an_upgrade_fails_no_request, compose.everything_stops_in_time_and_keeps_its_data,
            beanstalk.the_bundle_starts_on_an_instance, beanstalk.the_instance_has_the_data_and_processes_what_arrives,
            beanstalk.the_instance_stops_in_time,
        ]
        try:
            run([(f"compose: {test.__name__.replace('_', ' ')}", test) for test in tests])
        finally:
            compose.end()
