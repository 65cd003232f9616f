"""The measurements of large.sh: requests for many parts, and two clients that send a file."""

import concurrent.futures
import http.client
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import urllib.parse

PARTS = 10_000
MIB = 1 << 20


def call(method, path, body=None):
    """Sends a request to the broker. Returns the body of the response, which must be a success, and the seconds."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(os.environ["BROKER"]).netloc)
    headers = {"authorization": f"Bearer {os.environ['KEY']}", "content-type": "application/json"}
    start = time.perf_counter()
    connection.request(method, path, body and json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    took = time.perf_counter() - start
    connection.close()
    assert answer.status < 300, (answer.status, content[:500])
    return content, took


def peak_memory(pid):
    """Returns the peak memory of a process in MiB."""
    with open(f"/proc/{pid}/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["VmHWM"].split()[0]) / 1024


def line(name, figure, limit, held):
    print(f"{name:<46} {figure:>10}   {limit:<22} {'ok' if held else 'MISSED'}", flush=True)


def sign(pid):
    """Measures a request for 10,000 URLs: one request at a time, and 50 at the same time."""
    size = PARTS * 5 * MIB
    body = {"path": "/bench/sign.bin", "size": size, "part_size": 5 * MIB, "multipart": True}
    upload = json.loads(call("POST", "/uploads", body)[0])
    path, all_parts = f"/uploads/{upload['id']}/parts", {"from": 1, "count": PARTS}
    took = []
    for _ in range(20):
        content, seconds = call("POST", path, all_parts)
        took.append(seconds * 1000)
    assert len(json.loads(content)["parts"]) == PARTS
    median = statistics.median(took)
    line("10,000 part URLs in one request, ms (median)", f"{median:.1f}", "at most 40", median <= 40)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        sizes = [len(c) for c, _ in pool.map(lambda _: call("POST", path, all_parts), range(50))]
    assert min(sizes) == max(sizes), sizes
    memory = peak_memory(pid)
    line("memory after 50 concurrent such requests, MiB", f"{memory:.1f}", "under 64", memory < 64)


def listing(pid):
    """Measures the listing of 10,000 parts of one byte."""
    upload = json.loads(call("POST", "/uploads", {"path": "/bench/list", "multipart": True})[0])
    path = f"/uploads/{upload['id']}/parts"
    asked = [{"part_number": number, "size": 1} for number in range(1, PARTS + 1)]
    parts = json.loads(call("POST", path, {"parts": asked})[0])["parts"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(send_parts, (parts[at::8] for at in range(8))))
    took = []
    for _ in range(5):
        content, seconds = call("GET", path)
        took.append(seconds * 1000)
    assert len(json.loads(content)["uploaded"]) == PARTS
    memory = peak_memory(pid)
    line("10,000 parts listed, ms (median)", f"{statistics.median(took):.0f}", "", True)
    line("memory after that, MiB", f"{memory:.1f}", "under 64", memory < 64)


def send_parts(parts):
    connection = None
    for part in parts:
        url = urllib.parse.urlsplit(part["url"])
        connection = connection or http.client.HTTPConnection(url.netloc)
        connection.request("PUT", f"{url.path}?{url.query}", b"x")
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content


def run(command):
    """Runs a client. Returns its seconds and its peak memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, errors.decode()
    return took, usage.ru_maxrss / 1024


def clients(broker, aws, file, runs):
    """Sends the same file with `put` and with `aws s3 cp`, alternately."""
    size = os.path.getsize(file) / MIB
    put_runs, aws_runs = [], []
    for at in range(runs):
        aws_runs.append(run([aws, "s3", "cp", "--quiet", file, f"s3://datasets/aws/{at}"]))
        put_runs.append(run([broker, "put", "--quiet", file, f"/put/{at}"]))
    (put_seconds, put_memory), (aws_seconds, aws_memory) = ((min(t for t, _ in all), max(m for _, m in all))
                                                 for all in (put_runs, aws_runs))
    line("aws s3 cp, MiB/s (best)", f"{size / aws_seconds:.0f}", "", True)
    line("upload-broker put, MiB/s (best)", f"{size / put_seconds:.0f}", "at least the same", put_seconds <= aws_seconds)
    line("aws s3 cp, memory, MiB", f"{aws_memory:.0f}", "", True)
    line("upload-broker put, memory, MiB", f"{put_memory:.0f}", "less", put_memory < aws_memory)


match sys.argv[1:]:
    case ["broker", pid]:
        sign(int(pid))
        listing(int(pid))
    case ["clients", broker, aws, file, runs]:
        clients(broker, aws, file, int(runs))
