"""Checks the bundle for Elastic Beanstalk: what is in it, and that docker-compose accepts it."""

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from docker import composed_from
from lib.broken_copies import Broken, main
from lib.settings_page import defaults

COMPOSE = "deploy/beanstalk/docker-compose.yml"
NAMES = {
    "docker-compose.yml", "rds.pem", "rules.toml", "nginx/upload-broker.conf",
    "nginx/upload-broker/brokers.conf", "nginx/upload-broker/listen.conf",
}


def run_bundle(root: Path, folder: Path, image: str, authorities: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, root / "deploy/beanstalk/bundle.py", image, authorities, folder / "bundle.zip"]
    return subprocess.run(command, capture_output=True, text=True)


def bundled(root: Path, folder: Path) -> dict[str, str]:
    """The files of a bundle, by name."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=a"
    files = ["-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.pem")]
    subprocess.run(command.split() + files, check=True, capture_output=True)
    made = run_bundle(root, folder, "registry.example.com/upload-broker:0.1.0", folder / "ca.pem")
    if made.returncode:
        return {}
    with zipfile.ZipFile(folder / "bundle.zip") as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def bundle_is_complete(root: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = bundled(root, folder)
        faults = []
        if set(files) != NAMES:
            faults.append(f"the bundle contains {sorted(files)}; it should contain {sorted(NAMES)}")
        for image in ("upload-broker", "upload-broker:latest"):
            if not run_bundle(root, folder, image, folder / "ca.pem").returncode:
                faults.append(f"an image without a version is accepted: {image}")
        (folder / "ca.pem").write_text("no certificate")
        if not run_bundle(root, folder, "upload-broker:1", folder / "ca.pem").returncode:
            faults.append("a file without certificates is accepted as RDS_CA")
        return faults


def accepted_by_compose(root: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        text = bundled(root, Path(name)).get("docker-compose.yml", "")
    # The platform writes .env: docker-compose would refuse a file that is not there.
    config, error = composed_from(("docker-compose.yml",), (text.replace("env_file: .env\n", "env_file: []\n"),))
    if error:
        return [f"{COMPOSE}: docker-compose config: {error}"]
    faults = [] if "env_file: .env\n" in text else [f"{COMPOSE}: the broker should read .env"]
    for service, values in config["services"].items():
        for key, right in (("read_only", True), ("cap_drop", ["ALL"]), ("security_opt", ["no-new-privileges:true"])):
            if values.get(key) != right:
                faults.append(f"{COMPOSE}: service {service}: {key} should be {right}")
    for source in re.findall(r"- \./([\w./-]+):", text):
        if source not in {*NAMES, "nginx/upload-broker"}:
            faults.append(f"{COMPOSE}: {source} is mounted, but not in the bundle")
    broker = config["services"]["broker"]
    if broker["image"] != "registry.example.com/upload-broker:0.1.0":
        faults.append(f"{COMPOSE}: the image is {broker['image']}, not the one of IMAGE")
    if '"80:8080"' not in text:
        faults.append(f"{COMPOSE}: nginx should publish 80:8080, for the load balancer")
    listed = (root / "deploy/nginx/places/beanstalk/brokers.conf").read_text()
    if f"server {broker['networks']['brokers']['ipv4_address']}:8080" not in listed:
        faults.append("deploy/nginx/places/beanstalk/brokers.conf: should name the address of the broker")
    shutdown = int(defaults(root)["BROKER_SHUTDOWN_SECONDS"])
    if int(re.match(r"(\d+)s", broker["stop_grace_period"])[1]) <= shutdown:
        faults.append(f"{COMPOSE}: stop_grace_period should be longer than BROKER_SHUTDOWN_SECONDS ({shutdown})")
    return faults


if __name__ == "__main__":
    main("beanstalk", [bundle_is_complete, accepted_by_compose], [
        Broken(bundle_is_complete, "deploy/beanstalk/bundle.py", '"rules.toml": rules.read_text(),', "", "rules.toml"),
        Broken(bundle_is_complete, "deploy/beanstalk/bundle.py", "ssl.create_default_context(cadata=pem)", "pass",
               "without certificates"),
        Broken(accepted_by_compose, COMPOSE, "restart: unless-stopped", "restrat: unless-stopped", "restrat"),
        Broken(accepted_by_compose, COMPOSE, "./rds.pem:", "./rds-ca.pem:", "rds-ca.pem"),
        Broken(accepted_by_compose, COMPOSE, '"80:8080"', '"8080:8080"', "80:8080"),
        Broken(accepted_by_compose, COMPOSE, "172.30.80.11", "172.30.80.12", "brokers.conf"),
    ])
