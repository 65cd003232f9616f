"""The measurements of small.sh: two clients that send a folder of small files."""

import os
import pathlib
import subprocess
import sys
import time

SIZE = 4096
FASTER = 1.5


def run(command):
    """Runs a client. Returns its seconds."""
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    took = time.perf_counter() - start
    assert done.returncode == 0, done.stderr.decode()
    return took


def line(name, figure, limit, held):
    print(f"{name:<46} {figure:>10}   {limit:<22} {'ok' if held else 'MISSED'}", flush=True)


broker, aws, folder, files, runs = sys.argv[1:]
files = int(files)
root = pathlib.Path(folder) / "small"
for number in range(files):
    file = root / f"{number // 100:03}" / f"{number:06}.bin"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(os.urandom(SIZE))
put_runs, aws_runs = [], []
for at in range(int(runs)):
    copy = [aws, "s3", "cp", "--quiet", "--recursive", str(root), f"s3://datasets/aws-small/{at}/"]
    aws_runs.append(run(copy))
    put_runs.append(run([broker, "put", "--quiet", str(root), f"/put-small/{at}"]))
put_seconds, aws_seconds = min(put_runs), min(aws_runs)
line(f"aws s3 cp, {files} files of 4 KB, s (best)", f"{aws_seconds:.2f}", "", True)
line(f"upload-broker put, the same, s (best)", f"{put_seconds:.2f}", "", True)
ratio = aws_seconds / put_seconds
line("times as fast", f"{ratio:.2f}", f"at least {FASTER}", ratio >= FASTER)
