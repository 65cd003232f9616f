"""Checks deploy/docker: hadolint, `docker-compose config`, and what the containers may do."""

import functools
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import yaml

from lib.broken_copies import TOOLS, Broken, main
from lib.settings_page import defaults

DOCKERFILE = "deploy/docker/Dockerfile"
COMPOSE = "deploy/docker/compose.yaml"
STORE = "deploy/docker/compose.store.yaml"
GIVEN = {"POSTGRES_PASSWORD": "a", "BROKER_S3_BUCKET": "b", "AWS_REGION": "eu-central-1",
         "AWS_ACCESS_KEY_ID": "c", "AWS_SECRET_ACCESS_KEY": "d"}


def accepted_by_hadolint(root: Path) -> list[str]:
    command = [TOOLS / "hadolint", "--no-color", "--format", "json", root / DOCKERFILE]
    run = subprocess.run(command, capture_output=True, text=True)
    try:
        found = json.loads(run.stdout)
    except ValueError:
        return [f"hadolint did not finish: {run.stdout} {run.stderr}"]
    return [f"{DOCKERFILE}:{fault['line']}: {fault['code']} {fault['message']}" for fault in found]


def composed(root: Path, *files: str) -> tuple[dict, str]:
    """What docker-compose makes of the files, or its error."""
    return composed_from(files, tuple((root / file).read_text() for file in files))


@functools.cache
def composed_from(names: tuple[str, ...], texts: tuple[str, ...]) -> tuple[dict, str]:
    """docker-compose takes a second to start: equal texts are asked for once. It reads no variables but the
    given ones, and no .env file."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("BROKER_", "AWS_", "POSTGRES"))}
    with tempfile.TemporaryDirectory() as folder:
        command = ["docker-compose"]
        for name, text in zip(names, texts, strict=True):
            file = Path(folder) / Path(name).name
            file.write_text(text)
            command += ["--file", str(file)]
        run = subprocess.run([*command, "config"], capture_output=True, text=True, cwd=folder, env={**env, **GIVEN})
    if run.returncode or "WARNING" in run.stderr:
        return {}, run.stderr
    return yaml.safe_load(run.stdout), ""


def accepted_by_compose(root: Path) -> list[str]:
    errors = (composed(root, *files)[1] for files in ((COMPOSE,), (COMPOSE, STORE)))
    first = next((error for error in errors if error), "")
    return [f"{COMPOSE}: docker-compose config: {first}"] if first else []


def seconds(text: str) -> int:
    """A duration of compose, such as 1m0s."""
    minutes, rest = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", text).groups()
    return int(minutes or 0) * 60 + int(rest or 0)


def services_are_confined(root: Path) -> list[str]:
    """The rights of the containers, and that their images are named with a version."""
    services = composed(root, COMPOSE, STORE)[0].get("services", {})
    if not services:
        return [f"{COMPOSE}: docker-compose shows no services"]
    shutdown = int(defaults(root)["BROKER_SHUTDOWN_SECONDS"])
    faults = []
    for name, service in services.items():
        def should(holds: bool, right: str) -> None:
            if not holds:
                faults.append(f"{COMPOSE}: service {name}: {right}")

        should(re.search(r":[\w.-]*\d", service["image"]) is not None, f"image {service['image']} needs a version")
        if name in ("store", "bucket"):
            continue
        should("no-new-privileges:true" in service.get("security_opt", []), "security_opt needs no-new-privileges")
        should("max-size" in service.get("logging", {}).get("options", {}) or name == "postgres",
               "logging needs max-size, or the log fills the disk")
        if name == "postgres":
            continue
        should(service.get("read_only") is True, "read_only should be true")
        should(service.get("cap_drop") == ["ALL"] and "cap_add" not in service, "cap_drop should be ALL")
        if name == "nginx":
            continue
        should(service.get("user") == "10001:10001", "user should be 10001:10001, as in the Dockerfile")
        grace = seconds(service.get("stop_grace_period", "10s"))
        should(grace > shutdown, f"stop_grace_period should be longer than BROKER_SHUTDOWN_SECONDS ({shutdown})")
        env = service["environment"]
        should(env["BROKER_BIND"] == env["BROKER_WORKER_BIND"],
               "healthcheck reads BROKER_BIND: it should equal BROKER_WORKER_BIND")
        should(env["BROKER_MIGRATE"] == "false", "the service migrate alone should migrate")
    return faults


def addresses_agree(root: Path) -> list[str]:
    """nginx finds the brokers, and the brokers trust nginx and nothing else."""
    services = composed(root, COMPOSE)[0].get("services", {})
    if not services:
        return [f"{COMPOSE}: docker-compose shows no services"]
    brokers = {f"{service['networks']['brokers']['ipv4_address']}:8080"
               for name, service in services.items() if name.startswith("broker-")}
    listed = set(re.findall(r"^server (\S+)", (root / "deploy/nginx/places/compose/brokers.conf").read_text(), re.M))
    faults = []
    if brokers != listed or len(brokers) < 2:
        faults.append(f"deploy/nginx/places/compose/brokers.conf: {listed} should be {brokers} of {COMPOSE}")
    trusted = services["broker-1"]["environment"]["BROKER_TRUSTED_PROXIES"]
    nginx = services["nginx"]["networks"]["brokers"]["ipv4_address"]
    if trusted != nginx:
        faults.append(f"{COMPOSE}: BROKER_TRUSTED_PROXIES is {trusted}; it should be the address of nginx, {nginx}")
    return faults


def image_is_as_promised(root: Path) -> list[str]:
    """What the documentation says of the image."""
    text = (root / DOCKERFILE).read_text()
    last = text[text.rindex("\nFROM "):]
    required = [
        ("USER 10001:10001", last), ('HEALTHCHECK', last), ('CMD ["upload-broker", "healthcheck"]', last),
        ("--no-default-features", text), ("THIRD-PARTY.txt", last), ("THIRD-PARTY-PAGE.txt", last),
        ("LICENSE-APACHE LICENSE-MIT", last), ("cargo build --release --locked", text),
    ]
    faults = [f"{DOCKERFILE}: {words!r} is missing" for words, part in required if words not in part]
    wanted = re.search(r'^rust-version = "(.*)"', (root / "Cargo.toml").read_text(), re.MULTILINE)[1]
    if f"rust:{wanted}-" not in text:
        faults.append(f"{DOCKERFILE}: RUST_IMAGE should be rust:{wanted}-…, the rust-version of Cargo.toml")
    version = re.search(r'^version = "(.*)"', (root / "Cargo.toml").read_text(), re.MULTILINE)[1]
    if f"upload-broker:{version}}}" not in (root / COMPOSE).read_text():
        faults.append(f"{COMPOSE}: the image should be upload-broker:{version}, the version of Cargo.toml")
    ignored = (root / f"{DOCKERFILE}.dockerignore").read_text().splitlines()
    for line in ("*", "**/.env", "**/node_modules", "**/*.pem"):
        if line not in ignored:
            faults.append(f"{DOCKERFILE}.dockerignore: the line {line!r} is missing")
    return faults


if __name__ == "__main__":
    main(
        "docker",
        [accepted_by_hadolint, accepted_by_compose, services_are_confined, addresses_agree, image_is_as_promised],
        [
            Broken(accepted_by_hadolint, DOCKERFILE, "USER 10001:10001", "USER root", "DL3002"),
            Broken(accepted_by_hadolint, DOCKERFILE, 'CMD ["serve"]', 'CMD ["serve"]\nCMD ["worker"]', "DL4003"),
            Broken(accepted_by_compose, COMPOSE, "restart: unless-stopped", "restrat: unless-stopped", "restrat"),
            Broken(accepted_by_compose, COMPOSE, "volumes:\n  postgres:", "volumes:\n  postgre:", "postgres"),
            Broken(services_are_confined, COMPOSE, "read_only: true", "read_only: false", "read_only"),
            Broken(services_are_confined, COMPOSE, "cap_drop: [ALL]", "cap_drop: [CHOWN]", "cap_drop"),
            Broken(services_are_confined, COMPOSE, "stop_grace_period: 30s", "stop_grace_period: 20s", "stop_grace"),
            Broken(services_are_confined, COMPOSE, "1.28-alpine", "latest", "version"),
            Broken(services_are_confined, COMPOSE, "BROKER_WORKER_BIND: 0.0.0.0:8080",
                   "BROKER_WORKER_BIND: 0.0.0.0:8081", "BROKER_WORKER_BIND"),
            Broken(addresses_agree, COMPOSE, "172.30.80.12", "172.30.80.13", "brokers.conf"),
            Broken(addresses_agree, COMPOSE, ":-172.30.80.10}", ":-172.30.80.0/24}", "BROKER_TRUSTED_PROXIES"),
            Broken(image_is_as_promised, DOCKERFILE, "rust:1.", "rust:0.", "rust-version"),
            Broken(image_is_as_promised, DOCKERFILE, "HEALTHCHECK", "#", "HEALTHCHECK"),
        ],
    )
