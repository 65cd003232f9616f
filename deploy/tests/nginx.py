"""nginx with the files of deploy/nginx in front of a real broker: limits, hanging clients, live streams,
the client's address and scheme, CORS, and no token in a log."""

import http.client
import json
import re
import socket
import threading
import time
import urllib.request
from pathlib import Path

from proxy import CLIENT, Proxy
from stack import free_port, run, running, wait_for

ORIGIN = "https://app.example.com"


def tests(stack, proxy: Proxy, folder: Path):
    auth = {"authorization": f"Bearer {stack.key}"}

    def create(path: str, **more):
        body = json.dumps({"path": path, "size": 2})
        return proxy.request("POST", "/uploads", body, {**auth, "content-type": "application/json", **more})

    def upload(path: str):
        status, _, body = create(path)
        session = json.loads(body)
        assert status == 201, body
        put = urllib.request.Request(session["upload"]["url"], b"ok", session["upload"]["headers"], method="PUT")
        assert urllib.request.urlopen(put).status == 200
        status, _, body = proxy.request("POST", f"/uploads/{session['id']}/acknowledge", headers=auth)
        assert (status, json.loads(body)["status"]) == (200, "Uploaded"), body

    def upload_works():
        upload("/data/one.txt")

    def the_broker_refuses_large_bodies_with_cors_and_nginx_larger_ones():
        headers = {**auth, "origin": ORIGIN, "content-type": "application/json"}
        status, answer, body = proxy.request("POST", "/uploads/batch", b"a" * (9 << 19), headers)
        assert (status, json.loads(body)["code"]) == (413, "payload-too-large"), body
        assert answer["access-control-allow-origin"] == ORIGIN, answer
        # nginx refuses by the declared length, before it reads the body.
        headers["content-length"] = str(6 << 20)
        status, answer, body = proxy.request("POST", "/uploads/batch", b"", headers)
        assert (status, json.loads(body)["code"]) == (413, "payload-too-large"), body
        assert answer["content-type"] == "application/problem+json", answer

    def clients_that_hang_are_cut():
        head = "POST /uploads HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n"
        head = head.format(stack.key).encode()
        whole = head + b"content-length: 60000\r\n\r\n"
        measured = {}

        def measure(name, *what):
            measured[name] = proxy.cut_after(*what)

        cases = [("in the head", head), ("in the body", whole), ("body byte by byte", whole, 2)]
        threads = [threading.Thread(target=measure, args=case) for case in cases]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        limits = {"in the head": 10, "in the body": 10, "body byte by byte": 15}
        for name, limit in limits.items():
            assert limit - 1 < measured.get(name, 0) < limit + 8, measured

    def a_client_that_stops_reading_loses_its_connection():
        # As many answers as no buffer holds are requested, and none is read.
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(2)
            client.connect(("127.0.0.1", proxy.port))
            start, request = time.monotonic(), b"GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n" * 40
            client.sendall(request)

            def reset():
                # TCP_INFO: its first byte is the state of the connection; 7 is closed.
                return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 7

            wait_for("the reset", reset, 45)
            took = time.monotonic() - start
            assert 25 < took < 45, took

    def live_streams_are_not_buffered():
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)
        connection.request("GET", "/events", headers={**auth, "accept": "text/event-stream"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        upload("/data/live.txt")
        sent, seen = time.monotonic(), b""
        while b"/data/live.txt" not in seen and time.monotonic() - sent < 10:
            seen += answer.read1()
        took = time.monotonic() - sent
        assert b"/data/live.txt" in seen, seen
        # The broker reads new events twice a second. A buffer of nginx would hold them for good.
        assert took < 5, (took, seen)
        connection.close()

    def the_broker_sees_the_clients_address_whatever_it_claims():
        for spoofed in ({"x-forwarded-for": "192.0.2.1"}, {"forwarded": "for=192.0.2.2"}):
            status, _, _ = proxy.request("GET", "/uploads?limit=7", headers={**auth, **spoofed})
            assert status == 200
        seen = [line for line in stack.access_lines() if line.get("client") == CLIENT]
        assert len([line for line in seen if line["method"] == "GET"]) >= 2, stack.access_lines()
        assert not [line for line in stack.access_lines() if line["client"].startswith("192.0.2.")]

    def a_preflight_is_answered_by_the_broker():
        asked = {"origin": ORIGIN, "access-control-request-method": "POST",
                 "access-control-request-headers": "authorization,content-type"}
        status, answer, _ = proxy.request("OPTIONS", "/uploads", headers=asked)
        assert status in (200, 204) and answer["access-control-allow-origin"] == ORIGIN, (status, answer)
        _, answer, _ = proxy.request("OPTIONS", "/uploads", headers={**asked, "origin": "https://other.example.com"})
        assert "access-control-allow-origin" not in answer, answer
        _, answer, _ = proxy.request("GET", "/uploads", headers={**auth, "origin": ORIGIN})
        assert answer["access-control-allow-origin"] == ORIGIN, answer

    def metrics_are_not_public():
        status, _, body = proxy.request("GET", "/metrics")
        assert (status, json.loads(body)["code"]) == (404, "not-found"), body

    def logs_have_no_token_and_no_query():
        token = "secret-token-of-a-page"
        proxy.request("GET", f"/t/{token}/uploads?cursor=secret-cursor")
        line = wait_for("the line", lambda: re.search(r'.*"path":"/t/-/uploads".*', proxy.log()))[0]
        line = json.loads(line)
        assert line["client"] == CLIENT and line["status"] == "401" and line["broker"], line
        for secret in (token, "secret-cursor", stack.key):
            assert secret not in proxy.log(), secret

    def the_scheme_of_the_client_reaches_the_broker():
        behind = Proxy(folder, "beanstalk", [stack.port])
        try:
            for scheme, secure in (("https", True), ("http", False)):
                _, answer, _ = behind.request("GET", "/heartbeat", headers={"x-forwarded-proto": scheme})
                assert ("strict-transport-security" in answer) == secure, (scheme, answer)
        finally:
            behind.process.stop()
        _, answer, _ = proxy.request("GET", "/heartbeat", headers={"x-forwarded-proto": "https"})
        assert "strict-transport-security" not in answer, "a client decides about its scheme"

    def a_broker_that_is_gone_is_skipped_and_no_broker_is_503():
        two = Proxy(folder, "compose", [free_port(), stack.port])
        try:
            assert {two.request("GET", "/heartbeat")[0] for _ in range(6)} == {200}
        finally:
            two.process.stop()
        none = Proxy(folder, "compose", [free_port()])
        try:
            status, answer, body = none.request("GET", "/heartbeat")
            assert (status, json.loads(body)["code"], answer["retry-after"]) == (503, "service-unavailable", "2"), body
        finally:
            none.process.stop()

    found = [value for value in locals().values() if callable(value) and value not in (create, upload)]
    return [(f"nginx: {test.__name__.replace('_', ' ')}", test) for test in found]


if __name__ == "__main__":
    with running(BROKER_TRUSTED_PROXIES="127.0.0.1", BROKER_CORS_ORIGINS=ORIGIN) as (stack, folder):
        proxy = Proxy(folder, "compose", [stack.port])
        try:
            run(tests(stack, proxy, folder))
        finally:
            proxy.process.stop()
