"""Follows the page for one machine with systemd: installs the units, starts them, and finds out whether what they
forbid the processes is in force and forbids nothing that they need. deploy/tests/systemd.sh sets DATABASE_URL."""

import json
import os
import re
import socket
import ssl
import tempfile
import time
import urllib.request
from pathlib import Path

from fleet import BUCKET, SCOPES, TABLES_AND_DOCUMENTS_RULES, Store, process_table_and_document
from podman import Container
from stack import ROOT, broker, get, run, wait_for

# stack.py has added the folder of the checks to the path.
from nginx import certificate  # noqa: E402

# The ports in the files of deploy/: the network is one of this test alone.
PORT, WORKER_PORT, METRICS = 8080, 8081, (9090, 9091)
SERVICES = ("upload-broker.service", "upload-broker-worker.service")
SETTINGS = "/etc/upload-broker/broker.env"
# A package of `make dist` that is installed, in place of the files of this folder.
PACKAGE = os.environ.get("PACKAGE")


class Machine:
    """A container whose first process is systemd."""

    def __init__(self, folder: Path, store: Store):
        self.container = Container("systemd")
        self.rules = folder / "rules.toml"
        self.rules.write_text(TABLES_AND_DOCUMENTS_RULES)
        self.rules.chmod(0o644)
        self.settings = folder / "broker.env"
        self.write_settings(
            DATABASE_URL=os.environ["DATABASE_URL"], BROKER_S3_BUCKET=BUCKET, AWS_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_ENDPOINT_URL_S3=store.url,
            BROKER_PROCESSORS_FILE="/etc/upload-broker/rules.toml",
        )

    def write_settings(self, **given: str) -> None:
        """Fills in the example."""
        text = (ROOT / "deploy/systemd/broker.env.example").read_text()
        for name, value in given.items():
            text, count = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", text)
            text += "" if count else f"{name}={value}\n"
        self.settings.write_text(text)
        self.settings.chmod(0o600)

    def call(self, *command: str, fails: bool = False) -> str:
        return self.container.execute(*command, fails=fails)

    def show(self, service: str, *names: str) -> dict[str, str]:
        shown = self.call("systemctl", "show", service, *(f"--property={name}" for name in names))
        return dict(line.split("=", 1) for line in shown.splitlines())

    def journal(self, service: str) -> str:
        return self.call("journalctl", "--no-pager", "--lines", "30", "--unit", service, fails=True)

    def is_active(self, service: str) -> bool:
        return self.show(service, "ActiveState")["ActiveState"] == "active"

    def wait_for_broker(self) -> None:
        try:
            wait_for("the broker", lambda: get(f"http://127.0.0.1:{PORT}/readyz") == 200, 60)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.journal(SERVICES[0])}") from None

    def the_units_start(self):
        self.container.start("--privileged", "--systemd=always", "localhost/systemd", "/lib/systemd/systemd")
        wait_for("systemd", lambda: "running" in self.call("systemctl", "is-system-running", fails=True), 60)
        self.call("install", "--directory", "--mode=0755", "/etc/upload-broker")
        if PACKAGE:
            self.container.copy(PACKAGE, "/tmp/upload-broker.deb")
            self.call("dpkg", "--install", "/tmp/upload-broker.deb")
            example = self.call("cat", "/usr/share/doc/upload-broker/broker.env.example")
            assert example == (ROOT / "deploy/systemd/broker.env.example").read_text(), example
        else:
            self.container.copy(broker(), "/usr/bin/upload-broker")
            for service in SERVICES:
                self.container.copy(ROOT / "deploy/systemd" / service, f"/etc/systemd/system/{service}")
        self.container.copy(self.settings, SETTINGS)
        self.container.copy(self.rules, "/etc/upload-broker/rules.toml")
        self.call("chmod", "0600", SETTINGS)
        self.call("systemctl", "daemon-reload")
        self.call("systemctl", "enable", "--now", *SERVICES)
        self.wait_for_broker()
        try:
            wait_for("the worker", lambda: get(f"http://127.0.0.1:{WORKER_PORT}/readyz") == 200, 60)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.journal(SERVICES[1])}") from None

    def each_unit_has_its_metrics(self):
        for port in METRICS:
            assert get(f"http://127.0.0.1:{port}/metrics") == 200, port

    def uploads_are_processed_under_the_restrictions(self):
        command = f"set -a; . {SETTINGS}; exec upload-broker keys create --json --scopes {SCOPES}"
        self.key = json.loads(self.call("sh", "-c", command))["key"]
        process_table_and_document(self.key, PORT)

    def nginx_serves_the_broker_over_tls(self):
        for folder in ("/etc/nginx/upload-broker", "/etc/upload-broker/tls"):
            self.call("install", "--directory", folder)
        self.container.copy(ROOT / "deploy/nginx/upload-broker.conf", "/etc/nginx/conf.d/upload-broker.conf")
        for file in (ROOT / "deploy/nginx/places/machine").glob("*.conf"):
            self.container.copy(file, f"/etc/nginx/upload-broker/{file.name}")
        certificate(self.settings.parent)
        for name in ("fullchain.pem", "privkey.pem"):
            self.container.copy(self.settings.parent / name, f"/etc/upload-broker/tls/{name}")
        self.call("rm", "/etc/nginx/sites-enabled/default")
        self.call("systemctl", "restart", "nginx", fails=True)
        assert self.is_active("nginx"), self.journal("nginx")
        trusted = ssl.create_default_context(cafile=str(self.settings.parent / "fullchain.pem"))
        trusted.set_alpn_protocols(["h2", "http/1.1"])
        with socket.create_connection(("localhost", 443), 10) as plain:
            with trusted.wrap_socket(plain, server_hostname="localhost") as encrypted:
                assert encrypted.selected_alpn_protocol() == "h2", encrypted.selected_alpn_protocol()
        trusted = ssl.create_default_context(cafile=str(self.settings.parent / "fullchain.pem"))
        asked = urllib.request.Request("https://localhost/uploads", headers={"authorization": f"Bearer {self.key}"})
        with urllib.request.urlopen(asked, context=trusted, timeout=30) as answer:
            assert answer.status == 200 and "strict-transport-security" in answer.headers, answer.headers.items()

    def the_restrictions_are_in_force(self):
        for service in SERVICES:
            pid = self.show(service, "MainPID")["MainPID"]
            status = self.call("cat", f"/proc/{pid}/status")
            for name, value in (("CapEff", "0000000000000000"), ("CapBnd", "0000000000000000"), ("NoNewPrivs", "1"),
                                ("Seccomp", "2")):
                assert re.search(rf"^{name}:\s+{value}$", status, re.MULTILINE), (service, name, status)
            # The range of DynamicUser.
            user = int(re.search(r"^Uid:\s+(\d+)", status, re.MULTILINE)[1])
            assert 61184 <= user <= 65519, (service, user)
            mounts = self.call("cat", f"/proc/{pid}/mounts").splitlines()
            root = next(line.split() for line in mounts if line.split()[1] == "/")
            assert root[3].split(",")[0] == "ro", (service, root)

    def a_killed_process_starts_again_and_wrong_settings_do_not(self):
        for service in SERVICES:
            before = self.show(service, "MainPID")["MainPID"]
            self.call("systemctl", "kill", "--kill-whom=main", "--signal=KILL", service)
            wait_for(f"another {service}", lambda service=service, before=before:
                     self.is_active(service) and self.show(service, "MainPID")["MainPID"] not in (before, "0"), 60)
        self.wait_for_broker()
        self.call("sed", "--in-place=.good", "s/^BROKER_BIND=.*/BROKER_BIND=nowhere/", SETTINGS)
        self.call("systemctl", "restart", SERVICES[0], fails=True)
        wait_for("the end of the broker", lambda: self.show(SERVICES[0], "ActiveState")["ActiveState"] == "failed", 60)
        time.sleep(3)  # Longer than RestartSec.
        state = self.show(SERVICES[0], "ActiveState", "ExecMainStatus", "NRestarts")
        assert (state["ActiveState"], state["ExecMainStatus"]) == ("failed", "78"), state
        assert "BROKER_BIND" in self.journal(SERVICES[0]), self.journal(SERVICES[0])
        self.call("mv", f"{SETTINGS}.good", SETTINGS)
        self.call("systemctl", "restart", SERVICES[0])
        self.wait_for_broker()

    def a_reload_keeps_the_process(self):
        before = self.show(SERVICES[0], "MainPID")
        self.call("systemctl", "reload", SERVICES[0])
        self.wait_for_broker()
        assert self.show(SERVICES[0], "MainPID") == before, (before, self.journal(SERVICES[0]))

    def they_stop_in_time(self):
        for service in SERVICES:
            begin = time.monotonic()
            self.call("systemctl", "stop", service)
            print(f"    {service}: {time.monotonic() - begin:.1f} s")
            state = self.show(service, "Result", "ExecMainStatus")
            assert state == {"Result": "success", "ExecMainStatus": "0"}, (service, state, self.journal(service))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        store = Store(Path(name))
        machine = Machine(Path(name), store)
        tests = [
            machine.the_units_start, machine.each_unit_has_its_metrics,
            machine.uploads_are_processed_under_the_restrictions, machine.nginx_serves_the_broker_over_tls,
            machine.the_restrictions_are_in_force,
            machine.a_killed_process_starts_again_and_wrong_settings_do_not,
            machine.a_reload_keeps_the_process, machine.they_stop_in_time,
        ]
        try:
            run([(f"systemd: {test.__name__.replace('_', ' ')}", test) for test in tests])
        finally:
            machine.container.remove()
            store.process.stop()
