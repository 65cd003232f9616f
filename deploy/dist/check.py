"""Checks a folder that deploy/dist/build.sh has made, and that the checks find faults in broken copies of it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy/checks"))
from lib.report import Report  # noqa: E402

from release import Archive, output, unpack  # noqa: E402

TARGETS = os.environ.get("TARGETS") or "x86_64-unknown-linux-gnu x86_64-unknown-linux-musl aarch64-unknown-linux-gnu"
MACHINES = {"x86_64": "Advanced Micro Devices X86-64", "aarch64": "AArch64"}
GLIBC = (2, 28)
# What users of each platform call its processor.
DEBIAN, RPM = {"x86_64": "amd64", "aarch64": "arm64"}, {"x86_64": "x86_64", "aarch64": "aarch64"}


def archives(dist: Path, into: Path) -> list[Archive]:
    return [unpack(archive, into) for archive in sorted(dist.glob("*.tar.gz"))]


def sums_cover_every_file(dist: Path, _: Path) -> list[str]:
    listed = dict(reversed(line.split("  ", 1)) for line in (dist / "SHA256SUMS").read_text().splitlines())
    files = {file.name: file for file in dist.iterdir() if file.name != "SHA256SUMS"}
    faults = [f"SHA256SUMS: {name} is listed, or there, but not both" for name in listed.keys() ^ files.keys()]
    for name in listed.keys() & files.keys():
        if hashlib.sha256(files[name].read_bytes()).hexdigest() != listed[name]:
            faults.append(f"{name}: the checksum in SHA256SUMS is of other bytes")
    return faults


def archives_are_complete(dist: Path, scratch: Path) -> list[str]:
    found = {archive.target: archive for archive in archives(dist, scratch)}
    faults = [f"there is no archive of {target}" for target in TARGETS.split() if target not in found]
    needed = {"README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY.txt", "THIRD-PARTY-PAGE.txt",
              "man/upload-broker.1", "man/upload-broker-put.1", "completions/upload-broker.bash",
              "systemd/upload-broker.service"}
    for target, archive in found.items():
        faults += [f"{target}: {name} is missing" for name in needed if not (archive.folder / name).is_file()]
        third = (archive.folder / "THIRD-PARTY.txt").read_text()
        faults += [f"{target}: THIRD-PARTY.txt has nothing of {crate}"
                   for crate in ("actix-web", "aws-lc-sys", "tokio") if crate not in third]
    return faults


def binaries_run(dist: Path, scratch: Path) -> list[str]:
    faults = []
    document = (ROOT / "openapi.yaml").read_text()
    for archive in archives(dist, scratch):
        binary = archive.binary
        version = archive.folder.name.removeprefix("upload-broker-").removesuffix(f"-{archive.target}")
        if (said := binary.run("--version")).stdout != f"upload-broker {version}\n":
            faults.append(f"{archive.target}: --version prints {said}")
        if binary.run("openapi").stdout != document:
            faults.append(f"{archive.target}: openapi prints another document than openapi.yaml")
        if (code := binary.run("check-config").returncode) != 78:
            faults.append(f"{archive.target}: check-config without settings should end with 78, not {code}")
    return faults


def binaries_are_for_their_target(dist: Path, scratch: Path) -> list[str]:
    faults = []
    for archive in archives(dist, scratch):
        binary, target = archive.binary, archive.target
        machine = MACHINES[target.split("-")[0]]
        if binary.machine() != machine:
            faults.append(f"{target}: is for {binary.machine()}, not for {machine}")
        if target.endswith("musl") != binary.is_static():
            faults.append(f"{target}: should {'' if target.endswith('musl') else 'not '}be static")
        if binary.newest_glibc() > GLIBC:
            faults.append(f"{target}: needs glibc {binary.newest_glibc()}, which should be at most {GLIBC}")
    return faults


def binaries_contain_the_page(dist: Path, scratch: Path) -> list[str]:
    assets = [asset.name for asset in (ROOT / "web/page/dist/site/assets").iterdir()
              if not asset.name.endswith((".br", ".gz"))]
    faults = [] if assets else ["web/page/dist/site/assets is empty"]
    for archive in archives(dist, scratch):
        content = archive.binary.path.read_bytes()
        faults += [f"{archive.target}: the page's {name} is not in it" for name in assets
                   if name.encode() not in content]
    return faults


def crates_are_listed(dist: Path, scratch: Path) -> list[str]:
    faults = []
    [bill] = [json.loads(file.read_text()) for file in dist.glob("upload-broker-[0-9]*.cdx.json")]
    billed = {(part["name"], part["version"]) for part in [*bill["components"], bill["metadata"]["component"]]}
    for archive in archives(dist, scratch):
        crates = archive.binary.crates()
        if "actix-web" not in {name for name, _ in crates}:
            faults.append(f"{archive.target}: has no list of its crates")
        if archive.target == "x86_64-unknown-linux-gnu":
            faults += [f"{archive.target}: {crate} is not in the bill of materials" for crate in crates - billed]
        faults += [f"{archive.target}: {name} belongs to the embedded stack" for name, _ in crates
                   if name in ("s3s", "redb")]
    return faults


def packages_install_the_binary_of_the_archive(dist: Path, scratch: Path) -> list[str]:
    faults = []
    for archive in archives(dist, scratch):
        if not archive.target.endswith("-gnu"):
            continue
        processor = archive.target.split("-")[0]
        packages = [*dist.glob(f"*_{DEBIAN[processor]}.deb"), *dist.glob(f"*.{RPM[processor]}.rpm")]
        if len(packages) != 2:
            faults.append(f"{archive.target}: there should be a .deb and an .rpm, not {packages}")
        for package in packages:
            root = scratch / package.name
            root.mkdir()
            if package.suffix == ".deb":
                output("dpkg-deb", "--extract", package, root)
            else:
                subprocess.run(f"rpm2cpio '{package}' | cpio --quiet -idm", shell=True, check=True, cwd=root)
            installed = root / "usr/bin/upload-broker"
            if installed.read_bytes() != archive.binary.path.read_bytes():
                faults.append(f"{package.name}: its binary is not that of the archive")
            if installed.stat().st_mode & 0o777 != 0o755:
                faults.append(f"{package.name}: the mode of its binary is {installed.stat().st_mode:o}")
            needed = ["usr/lib/systemd/system/upload-broker.service", "usr/share/man/man1/upload-broker.1*",
                      "usr/share/bash-completion/completions/upload-broker", "usr/share/doc/upload-broker/README.md*",
                      "usr/share/*/upload-broker/THIRD-PARTY.txt*", "usr/share/*/upload-broker/LICENSE-MIT*"]
            faults += [f"{package.name}: {name} is missing" for name in needed if not list(root.glob(name))]
    return faults


def packages_name_what_they_need(dist: Path, _: Path) -> list[str]:
    faults = []
    for package in sorted([*dist.glob("*.deb"), *dist.glob("*.rpm")]):
        if package.suffix == ".deb":
            said = output("dpkg-deb", "--field", package)
            wanted = ["libc6 (>= 2.28)", "ca-certificates", "Recommends: poppler-utils, poppler-data"]
        else:
            said = output("rpm", "-qp", "--requires", "--recommends", package)
            wanted = ["glibc >= 2.28", "ca-certificates", "poppler-utils"]
        faults += [f"{package.name}: does not name {line}" for line in wanted if line not in said]
    return faults


def man_pages_are_well_formed(dist: Path, scratch: Path) -> list[str]:
    [first, *_] = archives(dist, scratch)
    pages = sorted((first.folder / "man").iterdir())
    run = subprocess.run(["mandoc", "-T", "lint", "-W", "error", *pages], capture_output=True, text=True)
    return [f"{first.target}: {line}" for line in run.stdout.splitlines()]


class NotBuilt(Exception):
    """The release has no file of that kind: TARGETS names no target with one."""


def first(dist: Path, pattern: str) -> Path:
    files = sorted(dist.glob(pattern))
    if not files:
        raise NotBuilt(pattern)
    return files[0]


def change_archive(change: Callable[[Path], None], pattern: str = "*.tar.gz") -> Callable[[Path], None]:
    """Changes the first unpacked archive, and packs it again."""

    def apply(dist: Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            archive = first(dist, pattern)
            unpacked = unpack(archive, Path(scratch))
            change(unpacked.folder)
            output("tar", "-C", scratch, "-czf", archive, unpacked.folder.name)

    return apply


def replace_binary_by_true(folder: Path) -> None:
    shutil.copy("/bin/true", folder / "upload-broker")


def drop_dependencies(dist: Path) -> None:
    package = first(dist, "*.deb")
    with tempfile.TemporaryDirectory() as scratch:
        output("dpkg-deb", "--raw-extract", package, f"{scratch}/root")
        control = Path(scratch, "root/DEBIAN/control")
        lines = control.read_text().splitlines(keepends=True)
        control.write_text("".join(line for line in lines if not line.startswith("Depends:")))
        output("dpkg-deb", "--build", f"{scratch}/root", package)


def add_unknown_macro(folder: Path) -> None:
    with (folder / "man/upload-broker.1").open("a") as page:
        page.write(".XX no such macro\n")


# A check, a change to the folder, and a pattern of the fault that has to be found then.
BROKEN = [
    (sums_cover_every_file, lambda dist: (dist / "more").write_text(""), "more is listed, or there"),
    (sums_cover_every_file, change_archive(lambda folder: (folder / "README.md").write_text("")), "other bytes"),
    (archives_are_complete, change_archive(lambda folder: (folder / "LICENSE-MIT").unlink()), "LICENSE-MIT is missing"),
    (archives_are_complete, lambda dist: first(dist, "*.tar.gz").unlink(), "no archive of"),
    (binaries_run, change_archive(replace_binary_by_true), "--version prints"),
    (binaries_are_for_their_target, change_archive(replace_binary_by_true),
     "needs glibc|is for|should be static"),
    (binaries_contain_the_page, change_archive(replace_binary_by_true), "is not in it"),
    (crates_are_listed, change_archive(replace_binary_by_true), "no list of its crates"),
    (packages_install_the_binary_of_the_archive, change_archive(replace_binary_by_true, "*-gnu.tar.gz"),
     "not that of the archive"),
    (packages_name_what_they_need, drop_dependencies, "does not name libc6"),
    (man_pages_are_well_formed, change_archive(add_unknown_macro), "unknown macro"),
]


def faults_of(check, dist: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as scratch:
        return check(dist, Path(scratch))


def refusal(check, change, named: str, dist: Path) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "dist"
        shutil.copytree(dist, copy)
        try:
            change(copy)
        except NotBuilt:
            return None
        found = faults_of(check, copy)
        return None if any(re.search(named, fault) for fault in found) else f"a broken copy passes {named!r}: {found}"


def main(dist: Path) -> None:
    report = Report("release")
    for check in dict.fromkeys(check for check, _, _ in BROKEN):
        faults = faults_of(check, dist)
        cases = [case for case in BROKEN if case[0] is check]
        faults += [f"the check itself: {why}" for case in cases if (why := refusal(*case, dist))]
        report.check(f"{check.__name__.replace('_', ' ')} ({len(cases)} broken copies)", faults)
    report.finish()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
