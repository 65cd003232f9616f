"""The measurements of documents.sh, against the broker that it has started."""

import json
import os
import pathlib
import resource
import subprocess
import sys
import time

import requests

PAGES = 5_000
broker, folder = sys.argv[1], pathlib.Path(sys.argv[2])
session = requests.Session()
session.headers["authorization"] = f"Bearer {os.environ['KEY']}"
url = os.environ["BROKER"]


def line(name, figure, limit, held):
    print(f"{name:<52} {figure:>10}   {limit:<18} {'ok' if held else 'MISSED'}", flush=True)


def get(path, **query):
    response = session.get(url + path, params=query)
    response.raise_for_status()
    return response.json()


def extract():
    with open(folder / f"pages-{PAGES}.pdf", "rb") as document:
        start = time.monotonic()
        ended = subprocess.run([broker, "process", "pdf-text"], stdin=document, capture_output=True, check=True)
        took = time.monotonic() - start
    assert json.loads(ended.stderr.splitlines()[-1])["report"]["text_pages"] == PAGES
    each = took / PAGES * 1_000
    line(f"{PAGES} pages extracted: ms for each page", f"{each:.2f}", "at most 1.5", each <= 1.5)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    line("memory of the largest process, MiB", f"{memory:.0f}", "at most 64", memory <= 64)


def upload(path, name):
    created = session.post(f"{url}/uploads", json={"path": path})
    created.raise_for_status()
    created = created.json()
    put = created["upload"]
    requests.put(put["url"], data=(folder / f"{name}.pdf").read_bytes(), headers=put["headers"]).raise_for_status()
    session.post(f"{url}/uploads/{created['id']}/acknowledge").raise_for_status()
    return created["id"]


def wait(upload_id):
    while True:
        status = get(f"/uploads/{upload_id}")["status"]
        if status in ("Processed", "Error"):
            return status
        time.sleep(0.02)


def store():
    for number in range(3):
        start = time.monotonic()
        assert wait(upload(f"/in/{number}.pdf", f"pages-{PAGES}")) == "Processed"
        found = get("/search", q=f"number{PAGES}", prefix=f"/in/{number}.pdf")
        took = time.monotonic() - start
        assert found[0]["page"] == PAGES, found
        line(f"{PAGES} pages stored and searchable: seconds", f"{took:.1f}", "at most 15", took <= 15)


def search():
    sys.path.insert(0, "tests/corpus")
    from pdfs import VOCABULARY
    common = VOCABULARY[5]
    for query in ("page", common, f"{common} {VOCABULARY[77]}", f"page -{common}", '"page number77"'):
        times = []
        for _ in range(10):
            start = time.monotonic()
            hits = get("/search", q=query, limit=20)
            times.append(time.monotonic() - start)
        took = min(times) * 1_000
        line(f"search of {3 * PAGES} pages, {len(hits)} snippets: ms", f"{took:.0f}", "at most 50", took <= 50)


def hostile():
    for name in ("stream-bomb", "form-fan-out", "flipped", "page-tree-deep"):
        start = time.monotonic()
        status = wait(upload(f"/hostile/{name}.pdf", name))
        took = time.monotonic() - start
        line(f"{name} has ended ({status}): seconds", f"{took:.1f}", "at most 60", took <= 60)


extract()
store()
search()
hostile()
