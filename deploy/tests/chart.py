"""Starts the pods of the Helm chart as podman understands them: image, arguments, environment, Secrets, volumes, user
and rights are those of the manifests. deploy/tests/chart.sh starts it."""

import base64
import json
import re
import tempfile
import time
from pathlib import Path

import yaml

from fleet import ACCOUNT, BUCKET, SCOPES, TABLES_AND_DOCUMENTS_RULES, Store, process_table_and_document
from podman import podman
from stack import get, run, wait_for

# stack.py has added the folder of the checks to the path.
from lib.helm import render  # noqa: E402
from lib.pods import containers, of_kind, template  # noqa: E402

NETWORK = "podman-default-kube-network"
POSTGRES = "upload-broker-chart-postgres"
GRACE = 40


def address(container: str) -> str:
    """The address of a container in the network of the pods."""
    networks = json.loads(podman("inspect", container))[0]["NetworkSettings"]["Networks"]
    return networks[NETWORK]["IPAddress"]


def as_pod(one: dict) -> dict:
    """The pod of an object, without what podman does in another way than a cluster."""
    pod = template(one)
    name = one["metadata"]["name"]
    for container in containers(one):
        # It publishes them on this machine, where the ports of all pods are the same.
        if not name.endswith("-http"):
            container.pop("ports", None)
        # It would run them with curl inside of the container.
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            container.pop(probe, None)
        # It has one volume of a name for all pods.
        for mount in container.get("volumeMounts", []):
            mount["name"] = f"{name}-{mount['name']}"
    for volume in pod["spec"].get("volumes", []):
        volume["name"] = f"{name}-{volume['name']}"
    # It refuses annotations of more than 63 characters.
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod["spec"]}


class Chart:
    def __init__(self, folder: Path):
        self.folder = folder
        self.pods: list[str] = []

    def play(self, *objects: dict) -> None:
        file = self.folder / "objects.yaml"
        file.write_text(yaml.safe_dump_all(objects))
        self.pods += [one["metadata"]["name"] for one in objects if one["kind"] == "Pod"]
        podman("kube", "play", "--network", NETWORK, str(file))

    def make_secret(self, name: str, **values: str) -> None:
        file = self.folder / name
        file.write_text(json.dumps({key: base64.b64encode(value.encode()).decode() for key, value in values.items()}))
        podman("secret", "create", name, str(file))

    def container(self, component: str) -> str:
        """The name that podman gives the container of a Deployment."""
        return f"production-upload-broker-{component}-{component}"

    def run_to_its_end(self, one: dict) -> str:
        """Runs the pod of a Job or of a test, and returns its output."""
        pod = as_pod(one)
        self.play(*of_kind(self.objects, "ConfigMap"), pod)
        container = f"{pod['metadata']['name']}-{pod['spec']['containers'][0]['name']}"
        code = podman("wait", container).strip()
        output = podman("logs", container)
        assert code == "0", (container, code, output[-2000:])
        return output

    def the_job_migrates(self):
        if NETWORK not in podman("network", "ls", "--format", "{{.Name}}"):
            podman("network", "create", NETWORK)
        podman("run", "--detach", "--name", POSTGRES, "--network", NETWORK, "--env", "POSTGRES_USER=broker",
               "--env", "POSTGRES_DB=broker", "--env", "POSTGRES_PASSWORD=secret", "localhost/postgres")
        database = address(POSTGRES)
        wait_for("Postgres", lambda: "accepting" in podman(
            "exec", POSTGRES, "pg_isready", "--host", database, "--dbname=broker", "--username=broker", fails=True))
        # This machine is the gateway of the network.
        self.store = Store(self.folder, host=re.sub(r"\d+$", "1", database))
        self.make_secret("database", DATABASE_URL=f"postgres://broker:secret@{database}:5432/broker?sslmode=disable")
        self.make_secret("store", id=ACCOUNT["AWS_ACCESS_KEY_ID"], secret=ACCOUNT["AWS_SECRET_ACCESS_KEY"])
        values = self.folder / "values.yaml"
        values.write_text(yaml.safe_dump({
            "image": {"repository": "localhost/upload-broker"},
            "database": {"existingSecret": "database"},
            "settings": {"AWS_REGION": ACCOUNT["AWS_REGION"], "BROKER_S3_BUCKET": BUCKET,
                         "AWS_ENDPOINT_URL_S3": self.store.url},
            "secretSettings": {"AWS_ACCESS_KEY_ID": {"secret": "store", "key": "id"},
                               "AWS_SECRET_ACCESS_KEY": {"secret": "store", "key": "secret"}},
            "processingRules": {"toml": TABLES_AND_DOCUMENTS_RULES},
        }))
        self.objects = render(values)
        self.run_to_its_end(of_kind(self.objects, "Job")[0])

    def the_deployments_start_and_their_probes_succeed(self):
        deployments = of_kind(self.objects, "Deployment")
        probes = [(one["metadata"]["labels"]["app.kubernetes.io/component"], containers(one)[0][probe]["httpGet"]["path"])
                  for one in deployments for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
        self.play(*of_kind(self.objects, "ConfigMap"), *map(as_pod, deployments))
        self.components = [one["metadata"]["labels"]["app.kubernetes.io/component"] for one in deployments]
        assert sorted(self.components) == ["background", "http", "worker"], self.components
        for component, path in probes:
            url = f"http://{self.address_of(component)}:8080{path}"
            try:
                wait_for(f"{path} of {component}", lambda url=url: get(url) == 200, 60)
            except AssertionError as error:
                raise AssertionError(f"{error}; {podman('logs', '--tail', '10', self.container(component))}") from None

    def address_of(self, component: str) -> str:
        """The container that holds the network of a pod has the address."""
        pod = json.loads(podman("pod", "inspect", f"production-upload-broker-{component}"))
        return address(pod["InfraContainerID"])

    def the_doctor_of_helm_test_is_content(self):
        said = self.run_to_its_end(of_kind(self.objects, "Pod")[0])
        assert "FAILED" not in said, said

    def an_upload_is_proven_and_processed(self):
        made = podman("exec", self.container("http"), "upload-broker", "keys", "create", "--json", "--scopes", SCOPES)
        process_table_and_document(json.loads(made)["key"], 8080)

    def the_pods_have_no_rights_and_tini_is_their_first_process(self):
        for component in self.components:
            found = json.loads(podman("inspect", self.container(component)))[0]
            assert found["HostConfig"]["ReadonlyRootfs"], component
            status = Path(f"/proc/{found['State']['Pid']}/status").read_text()
            for name, value in (("Name", "tini"), ("CapEff", "0000000000000000"), ("CapBnd", "0000000000000000"),
                                ("NoNewPrivs", "1"), ("Uid", "10001\t10001\t10001\t10001")):
                assert re.search(rf"^{name}:\s+{value}$", status, re.MULTILINE), (component, name, status)
            assert "Read-only file system" not in podman("logs", self.container(component)), component

    def the_pods_stop_in_time(self):
        for component in self.components:
            begin = time.monotonic()
            podman("stop", "--time", str(GRACE), self.container(component))
            took = time.monotonic() - begin
            print(f"    {component}: {took:.1f} s")
            code = json.loads(podman("inspect", self.container(component)))[0]["State"]["ExitCode"]
            assert code == 0 and took < GRACE, (component, code, took)

    def end(self) -> None:
        for pod in self.pods:
            podman("pod", "rm", "--force", pod, fails=True)
        podman("rm", "--force", "--time", "0", "--volumes", POSTGRES, fails=True)
        podman("secret", "rm", "database", "store", fails=True)
        podman("volume", "prune", "--force", fails=True)
        if hasattr(self, "store"):
            self.store.process.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        chart = Chart(Path(name))
        # What a run that was killed has left.
        chart.end()
        tests = [
            chart.the_job_migrates, chart.the_deployments_start_and_their_probes_succeed,
            chart.the_doctor_of_helm_test_is_content, chart.an_upload_is_proven_and_processed,
            chart.the_pods_have_no_rights_and_tini_is_their_first_process, chart.the_pods_stop_in_time,
        ]
        try:
            run([(f"chart: {test.__name__.replace('_', ' ')}", test) for test in tests])
        finally:
            chart.end()
