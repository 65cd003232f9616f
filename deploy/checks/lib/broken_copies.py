"""Runs validators over the files of deploy/, and over broken copies of them.

Several of the tools that the checks use exit with 0 although they report faults, or read less than one
expects. So every validator also gets copies with one fault each, and has to find exactly that fault.
"""

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .report import ROOT, Report

TOOLS = ROOT / ".tools/deploy-aws/bin"

# A validator takes the folder of the repository, and returns one text for each fault: what is wrong,
# where, and what would be right.
Validator = Callable[[Path], list[str]]


@dataclass(frozen=True)
class Broken:
    """A copy with one fault, and words of the text that has to name it."""

    validator: Validator
    file: str
    old: str
    new: str
    named: str


def broker() -> str:
    """The program whose settings and policy the files are compared with."""
    path = os.environ.get("BROKER", str(ROOT / "target/debug/upload-broker"))
    if not os.access(path, os.X_OK):
        sys.exit(f"There is no {path}. Build it with `cargo build`, or set BROKER to an upload-broker.")
    return path


def copy(to: Path) -> Path:
    """Copies what the validators read."""
    for part in ("deploy", "docs/src", "Cargo.toml"):
        source = ROOT / part
        if source.is_dir():
            # Packages of npm are large, and no validator reads them.
            ignore = shutil.ignore_patterns("__pycache__", "node_modules", ".terraform*", "*.tfstate*")
            shutil.copytree(source, to / part, ignore=ignore)
        else:
            (to / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, to / part)
    return to


def refusal(case: Broken) -> str | None:
    """Applies one fault to a copy. Returns why the validator has not found it."""
    with tempfile.TemporaryDirectory() as folder:
        root = copy(Path(folder))
        file = root / case.file
        text = file.read_text() if file.exists() else ""
        if case.old not in text:
            return f"the broken copy cannot be made: {case.file} does not contain {case.old!r}"
        file.write_text(text.replace(case.old, case.new, 1) if case.old else text + case.new)
        found = case.validator(root)
        if any(case.named in fault for fault in found):
            return None
        change = f"{case.file}: {case.old.strip()!r} → {case.new.strip()!r}"
        return f"not refused with {case.named!r}: {change}; found: {found or 'nothing'}"


def main(subject: str, validators: list[Validator], broken: list[Broken]) -> None:
    """Prints one line for each validator, and exits with 1 if one fails."""
    report = Report(subject)
    for validator in validators:
        cases = [case for case in broken if case.validator is validator]
        faults = validator(ROOT)
        faults += [f"the check itself: {why}" for why in map(refusal, cases) if why]
        faults += [] if cases else ["the check itself: it has no broken copy"]
        name = validator.__name__.replace("_", " ")
        report.check(f"{name} ({len(cases)} broken copies)", faults)
    report.finish()
