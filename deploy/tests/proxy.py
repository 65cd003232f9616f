"""nginx with the files of deploy/nginx, in front of brokers."""

import http.client
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

from stack import ROOT, Process, free_port, wait_for

# stack.py has added the folder of the checks to the path.
from nginx import make_folder  # noqa: E402

# The client has another address than nginx, so that the broker does not trust it.
CLIENT = "127.0.0.2"


class Proxy:
    """nginx with the files of one place, in front of these brokers."""

    def __init__(self, folder: Path, place: str, brokers: list[int]):
        self.folder = Path(tempfile.mkdtemp(prefix=f"nginx-{place}-", dir=folder))
        conf = make_folder(ROOT, place, self.folder)
        self.port = free_port()
        listen = self.folder / "upload-broker/listen.conf"
        listen.write_text(listen.read_text().replace(f"unix:{self.folder}/four", f"127.0.0.1:{self.port}"))
        servers = "".join(f"server 127.0.0.1:{port} max_fails=2 fail_timeout=5s;\n" for port in brokers)
        (self.folder / "upload-broker/brokers.conf").write_text(servers)
        if os.geteuid() == 0:
            # Otherwise the workers are another user, who may not create files in this folder.
            conf.write_text("user root;\n" + conf.read_text())
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = Process([nginx, "-c", str(conf), "-g", "daemon off;"], self.folder / "output")
        wait_for("nginx", lambda: socket.create_connection(("127.0.0.1", self.port), 1))

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def request(self, method: str, path: str, body=None, headers=None):
        """Sends a request from the client's address. Returns status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(CLIENT, 0))
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def cut_after(self, sent: bytes, pace=None) -> float:
        """Sends bytes, then others at a pace, and returns after how many seconds the connection ended."""
        with socket.create_connection(("127.0.0.1", self.port), 60) as client:
            start = time.monotonic()
            client.sendall(sent)
            client.settimeout(pace or 60)
            while time.monotonic() - start < 60:
                try:
                    if not client.recv(65536):
                        return time.monotonic() - start
                except TimeoutError:
                    try:
                        client.sendall(b"a")
                    except OSError:
                        return time.monotonic() - start
                except OSError:
                    return time.monotonic() - start
            raise AssertionError("still connected after 60 s")
