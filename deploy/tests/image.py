"""Runs the image as compose.yaml does: its own user, no capability, no new privileges, a root that is read only.

deploy/tests/image.sh builds the image and sets DATABASE_URL."""

import json
import os
import re
import tempfile
import time
import urllib.request
from pathlib import Path

from fleet import (
    ACCOUNT, BUCKET, SCOPES, TABLES_AND_DOCUMENTS_RULES, Store, call, process_table_and_document, upload,
)
from podman import HERE, Container, podman
from stack import free_port, get, run, wait_for

IMAGE = "localhost/upload-broker"
# Whether the program was given to image.sh, and not compiled in the image.
GIVEN = bool(os.environ.get("BINARY"))
TEXTS = ("LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY.txt", "THIRD-PARTY-PAGE.txt")


def start(container: Container, settings: dict[str, str], rules: Path, *command: str) -> None:
    """Starts a command of the image, confined as in compose.yaml."""
    given = {"BROKER_PROCESSORS_FILE": "/etc/upload-broker/rules.toml", **settings}
    container.start(
        "--cgroups", "disabled",
        "--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp:mode=1777,size=64m",
        "--volume", f"{container.name}:/scratch", "--volume", f"{rules}:/etc/upload-broker/rules.toml:ro",
        "--cap-drop", "all", "--security-opt", "no-new-privileges", "--log-driver", "k8s-file",
        *(word for key, value in given.items() for word in ("--env", f"{key}={value}")), IMAGE, *command,
    )


class Tests:
    def __init__(self, folder: Path, store: Store):
        self.rules = folder / "rules.toml"
        self.rules.write_text(TABLES_AND_DOCUMENTS_RULES)
        self.rules.chmod(0o644)
        self.port, self.worker_port = free_port(), free_port()
        self.settings = {
            **ACCOUNT,
            "DATABASE_URL": os.environ["DATABASE_URL"],
            "AWS_ENDPOINT_URL_S3": store.url,
            "BROKER_S3_BUCKET": BUCKET,
            "BROKER_MIGRATE": "false",
            "BROKER_BIND": f"127.0.0.1:{self.port}",
            "BROKER_WORKER_BIND": f"127.0.0.1:{self.worker_port}",
        }
        self.containers: list[Container] = []

    def start(self, name: str, *command: str, **settings: str) -> Container:
        container = Container(name)
        self.containers.append(container)
        start(container, {**self.settings, **settings}, self.rules, *command)
        return container

    def once(self, name: str, *command: str) -> str:
        container = self.start(name, *command)
        code = podman("wait", container.name).strip()
        assert code == "0", (code, container.logs()[-2000:])
        return container.logs()

    def the_image_has_a_user_a_health_check_and_the_texts_of_licences(self):
        found = json.loads(podman("image", "inspect", IMAGE))[0]
        assert found["User"] == "10001:10001", found["User"]
        check = found.get("Healthcheck") or found["HealthCheck"]
        assert check["Test"] == ["CMD", "upload-broker", "healthcheck"], check
        assert (found["Config"]["Entrypoint"], found["Config"]["Cmd"]) == (
            ["/usr/bin/tini", "--", "upload-broker"], ["serve"]), found["Config"]
        sizes = podman("run", "--rm", *HERE, "--cgroups", "disabled", "--entrypoint", "wc", IMAGE, "-c",
                       *(f"/usr/share/doc/upload-broker/{text}" for text in TEXTS))
        sizes = {name: int(size) for size, name in re.findall(r"(\d+) .*/([\w.-]+)$", sizes, re.MULTILINE)}
        for text in TEXTS:
            least = {"THIRD-PARTY.txt": 10 if GIVEN else 100_000}.get(text, 1000)
            assert sizes.get(text, 0) >= least, (text, sizes)

    def it_migrates(self):
        self.once("migrate", "migrate")
        made = self.once("keys", "keys", "create", "--json", "--scopes", SCOPES)
        self.key = json.loads(next(line for line in made.splitlines() if '"key"' in line))["key"]

    def it_serves_the_api_and_the_page(self):
        self.broker = self.start("serve")
        wait_for("a broker", lambda: get(f"http://127.0.0.1:{self.port}/readyz") == 200)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/") as answer:
            page = answer.read().decode()
        script = re.search(r'src="([^"]+\.js)"', page)
        if GIVEN and "built without the web page" in page:
            print("    the given program has no page")
        else:
            assert script, page[:1000]
            assert get(f"http://127.0.0.1:{self.port}/{script[1].lstrip('./')}") == 200, script[1]
        one = upload(self.key, self.port, "/data/one.txt", b"ok", "text/plain")
        assert call(self.key, self.port, "GET", f"/uploads/{one}")["status"] == "Uploaded"
        link = call(self.key, self.port, "GET", "/datasets/data/one.txt/action/download?redirect=false")
        assert urllib.request.urlopen(link["url"]).read() == b"ok"

    def the_worker_processes_tables_and_documents(self):
        self.worker = self.start("worker", "worker", BROKER_BIND=self.settings["BROKER_WORKER_BIND"])
        process_table_and_document(self.key, self.port)

    def the_health_checks_succeed(self):
        for container in (self.broker, self.worker):
            container.execute("upload-broker", "healthcheck")
            podman("healthcheck", "run", container.name)

    def they_have_no_rights(self):
        for container in (self.broker, self.worker):
            pids = container.execute("sh", "-c", "for one in /proc/[0-9]*; do cat $one/status; echo; done")
            for key, value in (("CapEff", "0000000000000000"), ("CapBnd", "0000000000000000"), ("NoNewPrivs", "1"),
                               ("Uid", "10001\t10001\t10001\t10001")):
                values = set(re.findall(rf"^{key}:\s+(.*)$", pids, re.MULTILINE))
                assert values == {value}, (key, values)

    def nothing_is_written_but_scratch_and_tmp(self):
        for container in (self.broker, self.worker):
            writable = container.execute("find", "/", "(", "-path", "/proc", "-o", "-path", "/sys", ")", "-prune",
                                         "-o", "-type", "d", "-writable", "-print", fails=True)
            allowed = {"/scratch", "/tmp", "/dev/shm", "/dev/mqueue"}
            assert set(writable.split()) <= allowed, writable
            refused = container.execute("sh", "-c", "touch /etc/one 2>&1; touch /usr/one 2>&1", fails=True)
            assert refused.count("Read-only file system") + refused.count("Permission denied") == 2, refused
            mounts = container.execute("cat", "/proc/mounts").splitlines()
            root = next(line for line in mounts if line.split()[1] == "/")
            assert root.split()[3].startswith("ro,"), root
            assert "Read-only file system" not in container.logs(), container.logs()[-1000:]
            # The places of mounts are made by podman.
            changed = {line.split(" ", 1)[1] for line in podman("diff", container.name).splitlines()}
            made = {"/scratch", "/tmp", "/etc", "/etc/upload-broker", "/etc/upload-broker/rules.toml", "/run",
                    "/run/.containerenv", "/etc/mtab", "/dev", "/proc", "/sys", "/var", "/var/run"}
            assert changed <= made, changed - made

    def they_stop_within_30_seconds(self):
        for container in (self.worker, self.broker):
            begin = time.monotonic()
            podman("stop", "--time", "30", container.name)
            took, state = time.monotonic() - begin, container.state()
            print(f"    {container.name}: {took:.1f} s")
            assert state["ExitCode"] == 0 and took < 30, (took, state["ExitCode"], container.logs()[-2000:])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        store = Store(folder)
        tests = Tests(folder, store)
        named = [
            tests.the_image_has_a_user_a_health_check_and_the_texts_of_licences, tests.it_migrates,
            tests.it_serves_the_api_and_the_page, tests.the_worker_processes_tables_and_documents,
            tests.the_health_checks_succeed, tests.they_have_no_rights,
            tests.nothing_is_written_but_scratch_and_tmp, tests.they_stop_within_30_seconds,
        ]
        try:
            run([(f"image: {test.__name__.replace('_', ' ')}", test) for test in named])
        finally:
            for container in tests.containers:
                container.remove()
            store.process.stop()
