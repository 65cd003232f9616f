"""A dataset in parts as a stranger's client sends it: requests for the broker and the parts' URLs,
boto3 to read what came. By the contract alone.

Reads BROKER_URL, BROKER_KEY, BUCKET, CHECKS and the AWS variables; ends with 0 when all held.
CHECKS says whether the store knows checksums and tags of objects in parts.
"""

import base64
import os
import sys
import zlib

import boto3
import requests

URL = os.environ["BROKER_URL"]
API = requests.Session()
API.headers["Authorization"] = "Bearer " + os.environ["BROKER_KEY"]
CHECKS = os.environ["CHECKS"] == "yes"
PART = 5 << 20
BYTES = os.urandom(2 * PART + 1234)


def check(answer, status):
    assert answer.status_code == status, (answer.status_code, answer.text)
    return answer.json() if answer.content else None


def crc(data):
    value = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    return {"algorithm": "CRC32", "value": value}


def send(part, data):
    return requests.put(part["url"], data=data, headers=part["headers"])


def s3():
    """boto3 itself reads AWS_DEFAULT_REGION, and not AWS_REGION."""
    endpoint = os.environ["AWS_ENDPOINT_URL_S3"]
    return boto3.client("s3", endpoint_url=endpoint, region_name=os.environ["AWS_REGION"])


def stored(path):
    return s3().get_object(Bucket=os.environ["BUCKET"], Key=path[1:])["Body"].read()


def planned():
    """The size is known; half of the parts are sent, the rest after a look."""
    path = "/python/räksmörgås + 100%.bin"
    asked = {"path": path, "size": len(BYTES), "part_size": PART, "tags": {"origin": "a test"}}
    session = check(API.post(f"{URL}/uploads", json=asked), 201)
    assert session["upload"] is None, session
    parts = session["multipart"]["parts"]
    first = parts[0]
    short = send(first, BYTES[: PART - 1])
    assert short.status_code in (400, 403), ("another size", short.status_code, short.text)
    sent = send(first, BYTES[:PART])
    assert sent.ok, (sent.status_code, sent.text)

    parts_url = f"{URL}/uploads/{session['id']}/parts"
    listed = check(API.get(parts_url), 200)
    assert listed["missing"] == [[2, 3]], listed
    assert listed["uploaded"][0]["etag"] == sent.headers["ETag"], (listed, sent.headers)
    refused = check(API.post(f"{URL}/uploads/{session['id']}/acknowledge"), 409)
    assert refused["missing"] == [[2, 3]], refused
    for low, high in listed["missing"]:
        fresh = check(API.post(parts_url, json={"from": low, "count": high - low + 1}), 200)
        for part in fresh["parts"]:
            begin = part["offset"]
            sent = send(part, BYTES[begin : begin + part["size"]])
            assert sent.ok, (sent.status_code, sent.text)
    done = check(API.post(f"{URL}/uploads/{session['id']}/acknowledge"), 200)
    assert done["status"] == "Uploaded", done
    assert stored(path) == BYTES, "other bytes"
    if not CHECKS:
        return
    tags = s3().get_object_tagging(Bucket=os.environ["BUCKET"], Key=path[1:])["TagSet"]
    assert tags == [{"Key": "origin", "Value": "a test"}], tags


def open_ended():
    """From a pipe: the size is not known before the end. Each part has its checksum."""
    path = "/python/pipe.bin"
    asked = {"path": path, "multipart": True, "part_checksums": "CRC32"}
    session = check(API.post(f"{URL}/uploads", json=asked), 201)
    url = f"{URL}/uploads/{session['id']}"
    for number, begin in enumerate(range(0, len(BYTES), PART), 1):
        data = BYTES[begin : begin + PART]
        wanted = {"part_number": number, "size": len(data), "checksum": crc(data)}
        (part,) = check(API.post(f"{url}/parts", json={"parts": [wanted]}), 200)["parts"]
        if CHECKS:
            torn = send(part, data[:-1] + bytes([data[-1] ^ 1]))
            assert torn.status_code == 400, ("a corrupt byte", torn.status_code, torn.text)
        sent = send(part, data)
        assert sent.ok, (sent.status_code, sent.text)
    claims = {"size": len(BYTES), "checksum": crc(BYTES)}
    done = check(API.post(f"{url}/acknowledge", json=claims), 200)
    assert done["size"] == len(BYTES), done
    print("level", done["verification"]["level"])
    assert stored(path) == BYTES, "other bytes"


planned()
open_ended()
print("all held")
sys.exit(0)
