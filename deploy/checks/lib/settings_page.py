"""The table of settings in the documentation, which is generated from the code."""

import re
from pathlib import Path

TABLE = "docs/src/guides/operators/settings.md"
# Variables that the command-line client reads.
CLIENT = {"UPLOAD_BROKER_URL", "UPLOAD_BROKER_KEY"}


def defaults(root: Path) -> dict[str, str]:
    """The default of each setting, as the table shows it without backticks."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| ", (root / TABLE).read_text(), re.MULTILINE)
    return {name: default.strip("`") for name, default in rows}


def unknown(root: Path, names: set[str]) -> set[str]:
    """Those of the names that are no setting."""
    return names - defaults(root).keys() - CLIENT


def names_in(text: str) -> set[str]:
    """What has the form of a setting in any kind of file."""
    return set(re.findall(r"\b(?:BROKER_[A-Z0-9_]+|DATABASE_URL|RUST_LOG)\b", text))
