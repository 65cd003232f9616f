"""The Python part of sweep.sh: writes objects and measures a process."""

import asyncio
import json
import os
import resource
import subprocess
import sys
import time


async def write(port, objects):
    """Writes objects of one byte over persistent connections, without signatures."""

    async def put(reader, writer, path, body=b"x"):
        head = f"PUT /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        status = await reader.readline()
        if status.split()[1] != b"200":
            raise SystemExit(f"PUT {path}: {status}")
        length = 0
        while (line := await reader.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        await reader.readexactly(length)

    async def some(first, step):
        for count, number in enumerate(range(first, objects, step)):
            # The server closes a connection after 1,000 requests.
            if count % 500 == 0:
                if count:
                    writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await put(reader, writer, f"bench/data/2026/set-{number:08}")

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await put(reader, writer, "bench", b"")
    writer.close()
    await asyncio.gather(*(some(first, 8) for first in range(8)))


def measure(broker, folder):
    findings = os.path.join(folder, "findings.ndjson")
    start = time.monotonic()
    with open(findings, "wb") as output:
        command = [broker, "janitor", "--only", "sweep", "--json"]
        run = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True)
    took = time.monotonic() - start
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    swept = json.loads(run.stderr.strip().splitlines()[-1])["sweep"]
    objects = swept["objects"]
    found = {}
    with open(findings, encoding="utf-8") as lines:
        for line in lines:
            what = json.loads(line)["what"]
            found[what] = found.get(what, 0) + 1
    print()
    each = -(-objects // 10_000)
    expected = {"other-etag": each, "row-without-object": each, "object-without-row": each}
    rows = [
        (f"sweep of {objects} objects and {swept['rows']} rows (s)", f"{took:.1f}", "under 60", took < 60),
        ("peak resident memory (MiB)", f"{memory:.1f}", "under 64", memory < 64),
        ("differences found", sum(found.values()), f"{3 * each}, of each kind", found == expected),
    ]
    for name, figure, limit, good in rows:
        print(f"{name:<48} {figure:>8}   {limit:<18} {'ok' if good else 'MISSED'}")


if sys.argv[1] == "write":
    asyncio.run(write(int(sys.argv[2]), int(sys.argv[3])))
else:
    measure(sys.argv[2], sys.argv[3])
