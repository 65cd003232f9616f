"""moto as AWS: a bucket, a topic and queues, an administrator, and the user `broker` with a policy."""

import json
import sys
import time
import urllib.request
import uuid
from pathlib import Path

import boto3

from stack import Process, free_port, get, wait_for

REGION = "us-east-1"
BUCKET = "uploads"
USER = "broker"
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class Aws:
    def __init__(self, folder: Path):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        server = [sys.executable, Path(__file__).with_name("serve_moto.py"), str(port)]
        self.process = Process(server, folder / "moto.log")
        try:
            self.set_up()
        except BaseException:
            self.process.stop()
            raise

    def set_up(self) -> None:
        wait_for("moto", lambda: get(f"{self.url}/moto-api/") == 200)
        self.key = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self.make_resources()
        admin = self.make_user("admin", ALL)
        self.users_key = self.make_user(USER, None)
        # From now on, moto checks the rights of each call.
        check = urllib.request.Request(f"{self.url}/moto-api/reset-auth", b"0", {"content-type": "text/plain"})
        urllib.request.urlopen(check)
        self.key = admin

    def client(self, service: str):
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **self.key)

    def make_user(self, name: str, policy: dict | None) -> dict[str, str]:
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if policy:
            iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}

    def make_resources(self) -> None:
        s3, sns, sqs = self.client("s3"), self.client("sns"), self.client("sqs")
        self.topic = sns.create_topic(Name="uploads")["TopicArn"]
        arns = {}
        self.queues = {}
        for name in ("arrivals", "jobs", "subscriber"):
            self.queues[name] = sqs.create_queue(QueueName=name)["QueueUrl"]
            found = sqs.get_queue_attributes(QueueUrl=self.queues[name], AttributeNames=["QueueArn"])
            arns[name] = found["Attributes"]["QueueArn"]
        for name in ("jobs", "subscriber"):
            sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arns[name],
                          Attributes={"RawMessageDelivery": "true"})
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [
            {"QueueArn": arns["arrivals"], "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]})

    def set_policy(self, policy: dict) -> None:
        """Replaces the policy of the user, and the queues by empty ones."""
        self.client("iam").put_user_policy(UserName=USER, PolicyName="rights", PolicyDocument=json.dumps(policy))
        sqs = self.client("sqs")
        for name, url in self.queues.items():
            sqs.delete_queue(QueueUrl=url)
            sqs.create_queue(QueueName=name)

    def settings(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.users_key["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.users_key["aws_secret_access_key"],
            "BROKER_S3_BUCKET": BUCKET,
            "BROKER_SNS_TOPIC_ARN": self.topic,
            "BROKER_S3_EVENTS_QUEUE_URL": self.queues["arrivals"],
            "BROKER_WORKER_QUEUE_URL": self.queues["jobs"],
            "BROKER_PDF_ENGINE": "textract",
        }

    def decisions(self, outcome: str) -> list[str]:
        """What was `allowed` or `refused` to the user so far: actions with their resources."""
        begin = f"{outcome} {USER} "
        return [line.removeprefix(begin) for line in self.process.output().splitlines() if line.startswith(begin)]

    def messages_in(self, name: str) -> int:
        """The messages of a queue, with those that a reader has and did not delete."""
        kinds = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client("sqs").get_queue_attributes(QueueUrl=self.queues[name], AttributeNames=kinds)
        return sum(int(found["Attributes"][kind]) for kind in kinds)

    def received_of_topic(self) -> list[dict]:
        answer = self.client("sqs").receive_message(QueueUrl=self.queues["subscriber"], MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def put_object_of_unknown_upload(self, key: str) -> None:
        """An object whose upload may not be visible yet: its id, a UUID of version 7, is of this moment."""
        upload = uuid.UUID(int=(int(time.time() * 1000) << 80) | (0x7 << 76) | (0x8 << 60) | uuid.uuid4().int >> 68)
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"ok", Metadata={"upload-id": str(upload)})

    def start_multipart_of_unknown_program(self, key: str) -> None:
        self.client("s3").create_multipart_upload(Bucket=BUCKET, Key=key)

    def open_multiparts(self) -> list[str]:
        return [one["Key"] for one in self.client("s3").list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])]

    def keys(self, prefix: str) -> list[str]:
        return [one["Key"] for one in self.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]
