"""Checks deploy/systemd: systemd-analyze verify and security, and that the limits fit the settings."""

import re
import subprocess
import tempfile
from pathlib import Path

from lib.broken_copies import Broken, main
from lib.settings_page import defaults

FOLDER = "deploy/systemd"
SERVE, WORKER = f"{FOLDER}/upload-broker.service", f"{FOLDER}/upload-broker-worker.service"
# In tenths: what systemd calls OK ends at 4.
EXPOSURE = 15


def verified(root: Path) -> list[str]:
    """`systemd-analyze verify` prints faults, and exits with 0."""
    faults = []
    for unit in (SERVE, WORKER):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / Path(unit).name
            # The program need not be installed for this.
            copy.write_text((root / unit).read_text().replace("/usr/bin/upload-broker", "/bin/true"))
            run = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True)
            lines = [line for line in run.stderr.splitlines() if copy.name in line]
            faults += [f"{unit}: {line.replace(folder, '')}" for line in lines]
    return faults


def confined(root: Path) -> list[str]:
    faults = []
    for unit in (SERVE, WORKER):
        command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager"]
        run = subprocess.run([*command, root / unit], capture_output=True, text=True)
        level = re.search(r"Overall exposure level.*: ([\d.]+)", run.stdout)
        if not level:
            faults.append(f"{unit}: systemd-analyze security did not finish: {run.stderr}")
        elif run.returncode or float(level[1]) * 10 > EXPOSURE:
            faults.append(f"{unit}: exposure {level[1]} should be at most {EXPOSURE / 10}")
    return faults


def fits_the_broker(root: Path) -> list[str]:
    default = defaults(root)
    faults = []
    for unit in (SERVE, WORKER):
        text = (root / unit).read_text()
        values = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
        rules = [
            ("TimeoutStopSec", int(values.get("TimeoutStopSec", 0)) > int(default["BROKER_SHUTDOWN_SECONDS"]),
             "longer than BROKER_SHUTDOWN_SECONDS"),
            ("LimitNOFILE", int(values.get("LimitNOFILE", 0)) > 2 * int(default["BROKER_MAX_CONNECTIONS"]),
             "more than twice BROKER_MAX_CONNECTIONS"),
            ("RestartPreventExitStatus", values.get("RestartPreventExitStatus") == "78",
             "78, the exit code for invalid settings"),
            ("EnvironmentFile", values.get("EnvironmentFile") == "/etc/upload-broker/broker.env",
             "/etc/upload-broker/broker.env"),
        ]
        faults += [f"{unit}: {name} should be {right}" for name, holds, right in rules if not holds]
    if "KillMode=mixed" not in (root / WORKER).read_text():
        faults.append(f"{WORKER}: KillMode should be mixed: otherwise a stop ends the processors of running jobs")
    return faults


if __name__ == "__main__":
    main("systemd", [verified, confined, fits_the_broker], [
        Broken(verified, SERVE, "ProtectHome=yes", "ProtectHomes=yes", "ProtectHomes"),
        Broken(verified, WORKER, "ExecStart=/usr/bin/upload-broker", "ExecStart=upload_broker", "upload_broker"),
        Broken(confined, SERVE, "DynamicUser=yes", "User=root", "exposure"),
        Broken(confined, WORKER, "CapabilityBoundingSet=\n", "", "exposure"),
        Broken(fits_the_broker, SERVE, "TimeoutStopSec=40", "TimeoutStopSec=20", "TimeoutStopSec"),
        Broken(fits_the_broker, WORKER, "KillMode=mixed", "", "KillMode"),
    ])
