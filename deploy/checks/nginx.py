"""Checks deploy/nginx: nginx's own parser, gixy, and that its limits fit those of the broker."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lib.broken_copies import TOOLS, Broken, main
from lib.settings_page import defaults

CONF = "deploy/nginx/upload-broker.conf"
LISTEN = "deploy/nginx/places/{}/listen.conf"
PLACES = ("compose", "beanstalk", "machine")


def make_folder(root: Path, place: str, folder: Path) -> Path:
    """Makes a configuration folder as the documentation says, with files instead of devices, and
    sockets instead of ports. Returns its nginx.conf."""
    here = root / "deploy/nginx"
    (folder / "upload-broker").mkdir()
    for file in (here / "places" / place).glob("*.conf"):
        text = re.sub(r"listen \[::\]:\d+", f"listen unix:{folder}/six", file.read_text())
        text = re.sub(r"listen \d+", f"listen unix:{folder}/four", text)
        text = text.replace("/etc/upload-broker/tls/", f"{folder}/")
        text = re.sub(r"/dev/std(out|err)|/var/log/nginx/[\w.-]+", f"{folder}/log", text)
        (folder / "upload-broker" / file.name).write_text(text)
    shutil.copy(here / "upload-broker.conf", folder)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main_file = folder / "nginx.conf"
    main_file.write_text(
        f"pid {folder}/pid; error_log {folder}/log; events {{}}\n"
        f"http {{ {temporary}\ninclude upload-broker.conf; }}\n"
    )
    return main_file


def certificate(folder: Path) -> None:
    """A certificate for the place that terminates TLS."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run(command.split() + files, check=True, capture_output=True)


def accepted_by_nginx(root: Path) -> list[str]:
    faults = []
    for place in PLACES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if place == "machine":
                certificate(folder)
            conf = make_folder(root, place, folder)
            nginx = shutil.which("nginx") or "/usr/sbin/nginx"
            run = subprocess.run([nginx, "-t", "-q", "-c", conf], capture_output=True, text=True)
            # nginx exits with 0 after warnings.
            lines = [line for line in run.stderr.splitlines() if "[warn]" in line or "[emerg]" in line]
            lines = [line for line in lines if '"user" directive' not in line]
            faults += [f"{place}: {line.replace(name + '/', '')}" for line in lines]
            if run.returncode and not lines:
                faults.append(f"{place}: nginx -t exits with {run.returncode}: {run.stderr}")
    return faults


def accepted_by_gixy(root: Path) -> list[str]:
    faults = []
    for place in PLACES:
        with tempfile.TemporaryDirectory() as name:
            conf = make_folder(root, place, Path(name))
            # The broker sends Strict-Transport-Security.
            command = [TOOLS / "gixy", "--format", "json", "--skips", "hsts_header", conf]
            run = subprocess.run(command, capture_output=True, text=True)
            try:
                problems = json.loads(run.stdout)
            except ValueError:
                faults.append(f"{place}: gixy did not finish: {run.stdout} {run.stderr}")
                continue
            faults += [f"{place}: gixy: {p['plugin']}: {p['summary']} {p.get('reason', '')}" for p in problems]
    return faults


def seconds(text: str, name: str) -> int | None:
    """The value of a directive in seconds or bytes."""
    found = re.search(rf"^\s*{name} (\d+)([sm]?);", text, re.MULTILINE)
    if not found:
        return None
    factor = {"": 1, "s": 1, "m": 1 << 20}[found[2]]
    return int(found[1]) * factor


def fits_the_broker(root: Path) -> list[str]:
    """Compares the limits with the defaults of the settings."""
    text = (root / CONF).read_text()
    default = defaults(root)
    request = int(default["BROKER_REQUEST_TIMEOUT_SECONDS"])
    rules = [
        ("client_max_body_size", lambda v: v > int(default["BROKER_MAX_BATCH_BODY_BYTES"]),
         "more than BROKER_MAX_BATCH_BODY_BYTES, so that the broker's answer has its CORS headers"),
        ("proxy_read_timeout", lambda v: v > request, "more than BROKER_REQUEST_TIMEOUT_SECONDS"),
        ("client_body_timeout", lambda v: v <= request / 2, "at most half of BROKER_REQUEST_TIMEOUT_SECONDS"),
        ("client_header_timeout", lambda v: v <= int(default["BROKER_HEAD_TIMEOUT_SECONDS"]),
         "at most BROKER_HEAD_TIMEOUT_SECONDS"),
        ("send_timeout", lambda v: v <= int(default["BROKER_WRITE_TIMEOUT_SECONDS"]),
         "at most BROKER_WRITE_TIMEOUT_SECONDS"),
        ("keepalive_timeout", lambda v: v < int(default["BROKER_KEEP_ALIVE_SECONDS"]),
         "less than BROKER_KEEP_ALIVE_SECONDS"),
    ]
    faults = []
    for name, holds, right in rules:
        value = seconds(text, name)
        if value is None or not holds(value):
            faults.append(f"{CONF}: {name} is {value}; it should be {right}")
    return faults


def leaves_cors_and_streams_alone(root: Path) -> list[str]:
    text = (root / CONF).read_text()
    forbidden = [
        ("Access-Control-", "CORS is answered by the broker: remove the header"),
        ("proxy_ignore_headers", "the broker turns buffering off with X-Accel-Buffering: remove the directive"),
        ("proxy_hide_header", "the headers of the broker are passed on: remove the directive"),
        ("$request_method = OPTIONS", "OPTIONS is answered by the broker: remove the condition"),
        ("$request ", "the request line has tokens in its path: log $path_without_token"),
        ("$request_uri", "the path has tokens: log $path_without_token"),
    ]
    code = "\n".join(line for line in text.splitlines() if not line.strip().startswith("#"))
    faults = [f"{CONF}: {word!r}: {right}" for word, right in forbidden if word in code]
    required = [
        ("reset_timedout_connection on;", "clients that were cut would keep their connections in FIN-WAIT"),
        ("proxy_request_buffering off;", "a client could send a body for hours, byte by byte"),
        ('proxy_set_header Forwarded "";', "a client could hide its address with a header of its own"),
        ("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", "the broker needs the client's address"),
        ("proxy_set_header X-Forwarded-Proto $client_scheme;", "the broker needs the client's scheme"),
    ]
    return faults + [f"{CONF}: {line!r} is missing: {why}" for line, why in required if line not in code]


def logs_have_no_tokens(root: Path) -> list[str]:
    """The format of the log hides them; the lines of nginx itself do from the level crit on."""
    faults = []
    for place in PLACES:
        text = (root / LISTEN.format(place)).read_text()
        for directive, last in (("access_log", "upload_broker"), ("error_log", "crit")):
            found = re.findall(rf"^{directive} \S+ (\w+);", text, re.MULTILINE)
            if found != [last]:
                faults.append(f"{place}: {directive} should end with {last}, not with {found}")
    return faults


if __name__ == "__main__":
    main(
        "nginx",
        [accepted_by_nginx, accepted_by_gixy, fits_the_broker, leaves_cors_and_streams_alone, logs_have_no_tokens],
        [
            Broken(accepted_by_nginx, CONF, "send_timeout 30s;", "send_timeout 30 s;", "send_timeout"),
            Broken(accepted_by_nginx, CONF, "$client_scheme", "$clients_scheme", "clients_scheme"),
            Broken(accepted_by_nginx, LISTEN.format("machine"), "privkey.pem", "key.pem", "key.pem"),
            Broken(logs_have_no_tokens, LISTEN.format("machine"), " crit;", " error;", "machine: error_log"),
            Broken(logs_have_no_tokens, LISTEN.format("compose"), " upload_broker;", ";", "compose: access_log"),
            Broken(accepted_by_gixy, CONF, "Host $host", "Host $http_host", "host_spoofing"),
            Broken(accepted_by_gixy, CONF, "location / {", "location / { add_header X-Path $uri;", "http_splitting"),
            Broken(fits_the_broker, CONF, "client_max_body_size 5m", "client_max_body_size 1m", "client_max_body_size"),
            Broken(fits_the_broker, CONF, "client_body_timeout 10s;", "", "client_body_timeout"),
            Broken(fits_the_broker, CONF, "proxy_read_timeout 45s", "proxy_read_timeout 10s", "proxy_read_timeout"),
            Broken(fits_the_broker, CONF, "keepalive_timeout 60s", "keepalive_timeout 90s", "keepalive_timeout"),
            Broken(leaves_cors_and_streams_alone, CONF, "location / {",
                   "location / { add_header Access-Control-Allow-Origin *;", "Access-Control-"),
            Broken(leaves_cors_and_streams_alone, CONF, "reset_timedout_connection on;", "", "reset_timedout"),
            Broken(leaves_cors_and_streams_alone, CONF, '"path":"$path_without_token"', '"path":"$request_uri"',
                   "$request_uri"),
        ],
    )
