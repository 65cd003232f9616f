"""The files of a release, as they are unpacked and read."""

import json
import re
import subprocess
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path


def output(*command) -> str:
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if run.returncode:
        raise OSError(f"{' '.join(map(str, command))}: {run.stdout[-500:]} {run.stderr[-500:]}")
    return run.stdout


@dataclass(frozen=True)
class Binary:
    """A program of a release."""

    path: Path
    target: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Runs it without settings; a program for ARM runs in QEMU."""
        command = [str(self.path), *arguments]
        if self.target.startswith("aarch64"):
            command = ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu", *command]
        return subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})

    def machine(self) -> str:
        return re.search(r"Machine:\s+(.*)", output("readelf", "-hW", self.path))[1]

    def is_static(self) -> bool:
        return "INTERP" not in output("readelf", "-lW", self.path)

    def newest_glibc(self) -> tuple[int, ...]:
        """The newest version of glibc of which it needs a symbol."""
        versions = re.findall(r"GLIBC_(\d+)\.(\d+)", output("readelf", "-VW", self.path))
        return max((tuple(map(int, version)) for version in versions), default=(0, 0))

    def crates(self) -> set[tuple[str, str]]:
        """Name and version of each crate in it, as cargo-auditable has noted them in the section .dep-v0."""
        found = re.search(r"\.dep-v0\s+\w+\s+\w+\s+(\w+)\s+(\w+)", output("readelf", "-SW", self.path))
        if not found:
            return set()
        offset, size = (int(number, 16) for number in found.groups())
        listed = json.loads(zlib.decompress(self.path.read_bytes()[offset:offset + size]))
        return {(crate["name"], crate["version"]) for crate in listed["packages"] if crate.get("kind") != "build"}


@dataclass(frozen=True)
class Archive:
    """An archive, unpacked."""

    folder: Path
    target: str

    @property
    def binary(self) -> Binary:
        return Binary(self.folder / "upload-broker", self.target)


def unpack(archive: Path, into: Path) -> Archive:
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    name = archive.name.removesuffix(".tar.gz")
    target = re.sub(r"^upload-broker-[\d.]+(-\w+\.\d+)?-", "", name)
    return Archive(into / name, target)
