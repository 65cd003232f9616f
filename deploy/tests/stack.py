"""A real broker with its embedded Postgres and S3, for the tests of deploy/, in a folder of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "checks"))
from lib.broken_copies import ROOT, broker  # noqa: E402, F401

# A machine with other work on it may need this long for anything that starts.
PATIENCE = 300


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(what: str, holds, seconds: float = PATIENCE):
    """Calls `holds` until it returns something, and returns that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if found := holds():
                return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


class Process:
    """A child whose output goes to a file, and which ends with the test."""

    def __init__(self, command: list, log: Path, env: dict[str, str] | None = None):
        self.log = log
        with log.open("ab") as output:
            self.child = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(env or {})})

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        return self.child.wait(60)


class Stack:
    """`upload-broker dev`, and what a client needs."""

    def __init__(self, folder: Path, **settings: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        env = {
            "BROKER_BIND": f"127.0.0.1:{self.port}",
            "BROKER_DEV_S3_BIND": f"127.0.0.1:{free_port()}",
            "BROKER_DEV_DIR": str(folder / "dev"),
            "BROKER_LOG_FORMAT": "json",
            **settings,
        }
        self.process = Process([broker(), "dev"], folder / "broker.log", env)
        try:
            wait_for("the broker", lambda: get(f"{self.url}/readyz") == 200)
        except AssertionError as error:
            self.process.stop()
            raise AssertionError(f"{error}; its log ends with {self.process.output()[-2000:]}") from None
        self.key = (folder / "dev/api-key").read_text().strip()

    def access_lines(self) -> list[dict]:
        """The fields of the lines that the broker logs for requests."""
        lines = [line for line in self.process.output().splitlines() if line.startswith("{")]
        lines = [json.loads(line) for line in lines]
        return [line["fields"] for line in lines if line["target"] == "upload_broker::access"]


def get(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@contextlib.contextmanager
def running(**settings: str):
    """A stack in a folder that is removed afterwards. Postgres refuses to run as root, and the folder
    therefore can be entered by everybody."""
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        stack = Stack(folder, **settings)
        try:
            yield stack, folder
        finally:
            stack.process.stop()


def run(tests: list) -> None:
    """Runs functions and prints one line for each. They are given by the caller, with their arguments."""
    failed = 0
    for name, test in tests:
        start = time.monotonic()
        try:
            test()
            print(f"ok  {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except Exception as error:  # noqa: BLE001 - whatever fails is the result of this test
            failed += 1
            print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
