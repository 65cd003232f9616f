"""Every setting that a file of deploy/ names exists in the table of settings."""

from pathlib import Path

from lib.broken_copies import Broken, main
from lib.settings_page import names_in, unknown

# Variables of compose files and of scripts, which are no settings of the broker.
OWN = {"BROKER_IMAGE"}
SUFFIXES = {".conf", ".yaml", ".yml", ".tf", ".hcl", ".tfvars", ".service", ".env", ".example", ".sh", ".config", ".md", ""}


def settings_exist(root: Path) -> list[str]:
    faults = []
    for file in sorted((root / "deploy").rglob("*")):
        relative = file.relative_to(root)
        if not file.is_file() or file.suffix not in SUFFIXES or relative.parts[1] in ("checks", "tests"):
            continue
        for name in sorted(unknown(root, names_in(file.read_text())) - OWN):
            faults.append(f"{relative}: {name} is no setting: see docs/src/guides/operators/settings.md")
    return faults


if __name__ == "__main__":
    main("settings", [settings_exist], [
        Broken(settings_exist, "deploy/docker/compose.yaml", "BROKER_MIGRATE:", "BROKER_MIGRATION:", "BROKER_MIGRATION"),
    ])
