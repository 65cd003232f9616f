"""The users of deploy/load/locustfile.py, until they are stopped."""

import os
import subprocess
from pathlib import Path

from stack import PATIENCE, ROOT


class Users:
    def __init__(self, folder: Path, port: int, key: str, count: int):
        self.process = subprocess.Popen(
            [
                ROOT / ".tools/load/bin/locust", "--locustfile", ROOT / "deploy/load/locustfile.py",
                "--host", f"http://127.0.0.1:{port}", "--headless", "--users", str(count), "--spawn-rate", str(count),
                "--stop-timeout", "30", "--only-summary",
            ],
            env={**os.environ, "UPLOAD_BROKER_KEY": key}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=folder,
        )

    def stop(self, may_fail: bool = False) -> int:
        """The number of their requests, none of which failed, unless they are only there to make load."""
        try:
            assert self.process.poll() is None, "the load ended by itself: " + self.process.communicate()[0][-4000:]
            self.process.terminate()
            output, _ = self.process.communicate(timeout=PATIENCE)
        finally:
            self.process.kill()
        assert may_fail or self.process.returncode == 0, output[-4000:]
        return int(next(line for line in output.splitlines() if "Aggregated" in line).split()[1])
