"""Containers of podman with the network and the control groups of this machine. containers.sh says where they are
kept."""

import json
import os
import resource
import subprocess

from stack import PATIENCE

HERE = ("--network", "host", "--ulimit", "nproc=4096:4096",
        "--ulimit", "nofile={}:{}".format(*resource.getrlimit(resource.RLIMIT_NOFILE)))


def podman(*arguments: str, fails: bool = False) -> str:
    # Health checks are run by hand here: podman leaves their times to systemd.
    env = {**os.environ, "DISABLE_HC_SYSTEMD": "true"}
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, timeout=PATIENCE, env=env)
    assert fails or done.returncode == 0, (arguments[:3], done.returncode, (done.stdout + done.stderr)[-2000:])
    return done.stdout


class Container:
    """A container, which the caller removes."""

    def __init__(self, name: str):
        self.name = f"upload-broker-{name}-{os.getpid()}"

    def start(self, *arguments: str) -> None:
        """`arguments` are options, the image and the command."""
        podman("run", "--detach", "--name", self.name, *HERE, *arguments)

    def state(self) -> dict:
        return json.loads(podman("inspect", self.name))[0]["State"]

    def logs(self) -> str:
        done = subprocess.run(["podman", "logs", self.name], capture_output=True, text=True)
        return done.stdout + done.stderr

    def execute(self, *command: str, fails: bool = False) -> str:
        return podman("exec", self.name, *command, fails=fails)

    def copy(self, file: str | os.PathLike, target: str) -> None:
        """Copies a file of this machine into the container, with its mode."""
        podman("cp", os.fspath(file), f"{self.name}:{target}")

    def remove(self) -> None:
        podman("rm", "--force", "--time", "0", self.name, fails=True)
        podman("volume", "rm", "--force", self.name, fails=True)
