"""The round trip as a stranger's client does it: requests for the broker, boto3 for the store.

Reads BROKER_URL, BROKER_KEY, BUCKET, QUEUE_URL and the AWS variables; ends with 0 when all held.
"""

import base64
import hashlib
import json
import os
import time

import boto3
import requests

URL = os.environ["BROKER_URL"]
API = requests.Session()
API.headers["Authorization"] = "Bearer " + os.environ["BROKER_KEY"]
PATH = "/python/räksmörgås + 100%.bin"
BYTES = os.urandom(300_000)


def check(answer, status):
    assert answer.status_code == status, (answer.status_code, answer.text)
    return answer.json() if answer.content else None


def aws(service):
    """boto3 itself reads AWS_DEFAULT_REGION, and not AWS_REGION."""
    endpoint = os.environ["AWS_ENDPOINT_URL_" + service.upper()]
    return boto3.client(service, endpoint_url=endpoint, region_name=os.environ["AWS_REGION"])


def main():
    declared = {
        "path": PATH,
        "size": len(BYTES),
        "checksum": {
            "algorithm": "SHA256",
            "value": base64.b64encode(hashlib.sha256(BYTES).digest()).decode(),
        },
        "tags": {"origin": "a test"},
    }
    session = check(API.post(f"{URL}/uploads", json=declared), 201)
    upload = session["upload"]
    assert upload["headers"]["if-none-match"] == "*", upload["headers"]

    refused = requests.put(upload["url"], data=BYTES[:-1] + b"!", headers=upload["headers"])
    assert refused.status_code == 400, ("other bytes", refused.status_code, refused.text)
    sent = requests.put(upload["url"], data=BYTES, headers=upload["headers"])
    assert sent.ok, (sent.status_code, sent.text)
    again = requests.put(upload["url"], data=BYTES, headers=upload["headers"])
    assert again.status_code == 412, ("a second write", again.status_code, again.text)

    done = check(API.post(f"{URL}/uploads/{session['id']}/acknowledge"), 200)
    assert done["status"] == "Uploaded", done
    assert done["object"]["etag"] == sent.headers["ETag"], (done, sent.headers)

    s3 = aws("s3")
    stored = s3.get_object(Bucket=os.environ["BUCKET"], Key=PATH[1:])
    assert stored["Body"].read() == BYTES
    assert stored["Metadata"]["upload-id"] == session["id"], stored["Metadata"]

    listed = check(API.get(f"{URL}/datasets", params={"prefix": "/python/"}), 200)
    assert [entry["path"] for entry in listed] == [PATH], listed
    quoted = requests.utils.quote(PATH[1:])
    detail = check(API.get(f"{URL}/datasets/{quoted}"), 200)
    part = requests.get(detail["download_url"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, BYTES[10:20]), part.status_code

    event = receive()
    assert event["type"] == "dataset.uploaded", event
    assert event["data"]["upload_id"] == session["id"], event

    assert API.delete(f"{URL}/datasets/{quoted}").status_code == 204
    assert check(API.get(f"{URL}/datasets", params={"prefix": "/python/"}), 200) == []
    print("all held")


def receive():
    """The notification, from the queue behind the topic."""
    sqs = aws("sqs")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=os.environ["QUEUE_URL"], WaitTimeSeconds=5)
        for message in answer.get("Messages", []):
            return json.loads(message["Body"])
    raise AssertionError("no notification within 20 s")


main()
