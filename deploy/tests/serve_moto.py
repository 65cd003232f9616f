"""moto's server, which checks each call against the IAM policy of its user as AWS does.

    serve_moto.py PORT

moto lets all calls pass until POST /moto-api/reset-auth has the body 0. What it lacks for this broker is added
here: signatures in the query of a URL, the resource of SNS, and actions whose names are not those of their calls.
Signatures are checked for S3 only.
Each decision is one line of the output: `allowed` or `refused`, the user, the action and the resource.
"""

import datetime
import sys
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from moto.core.serialize import S3Serializer
from moto.iam.access_control import IAMRequestBase, S3IAMRequest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.exceptions import S3AccessDeniedError
from moto.sns.responses import SNSResponse
from moto.textract.models import TextractBackend
from werkzeug.serving import run_simple

# moto takes the name of the call. These calls are covered by another action:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
# https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
}
# moto names the root of an answer after the call; the AWS SDK for Rust insists on the names of S3.
ROOTS = {
    "CompleteMultipartUploadResponse": "CompleteMultipartUploadResult",
    "CreateMultipartUploadResponse": "InitiateMultipartUploadResult",
    "ListMultipartUploadsResponse": "ListMultipartUploadsResult",
    "ListObjectsV2Response": "ListBucketResult",
    "ListPartsResponse": "ListPartsResult",
}


def in_query(headers) -> bool:
    return headers.get("Authorization", "").endswith("Signature=in-the-query")


class SignatureToHeader:
    """moto reads the key and the service of a call from its header `Authorization` only."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        found = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        if "HTTP_AUTHORIZATION" not in environ and "X-Amz-Credential" in found:
            environ["HTTP_AUTHORIZATION"] = (
                f"AWS4-HMAC-SHA256 Credential={found['X-Amz-Credential']}, "
                f"SignedHeaders={found.get('X-Amz-SignedHeaders', '')}, Signature=in-the-query"
            )
        return self.application(environ, start_response)


check_header = IAMRequestBase.check_signature


def check_signature(request: IAMRequestBase) -> None:
    if not isinstance(request, S3IAMRequest):
        # moto puts a form together again, and not always as it was signed.
        return
    if not in_query(request._headers):
        return check_header(request)
    url = urlsplit(request._path)
    pairs = parse_qsl(url.query, keep_blank_values=True)
    fields = dict(pairs)
    begin = datetime.datetime.strptime(fields["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    age = datetime.datetime.now(datetime.UTC) - begin
    if age.total_seconds() > int(fields["X-Amz-Expires"]):
        raise S3AccessDeniedError()
    signed = fields["X-Amz-SignedHeaders"].split(";")
    headers = {name: value for name, value in request._headers.items() if name.lower() in signed}
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
                     for name, value in pairs if name != "X-Amz-Signature")
    unsigned = AWSRequest(request._method, f"http://{request._headers['Host']}{url.path}?{query}", headers)
    unsigned.context["timestamp"] = fields["X-Amz-Date"]
    auth = S3SigV4QueryAuth(request._access_key.create_credentials(), "s3", request._region)
    text = auth.string_to_sign(unsigned, auth.canonical_request(unsigned))
    if auth.signature(text, unsigned) != fields["X-Amz-Signature"]:
        request._raise_signature_does_not_match()


def note(line: str) -> None:
    # In one piece, as other threads write, too.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


check_action = IAMRequestBase.check_action_permitted


def check_action_permitted(request: IAMRequestBase, resource: str) -> None:
    user, action = request._access_key.arn.rsplit("/", 1)[-1], request._action
    needed = [(ACTIONS.get(action, action), resource)]
    source = request._headers.get("X-Amz-Copy-Source")
    if source and isinstance(request, S3IAMRequest):
        # A copy reads its source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
        needed.append(("s3:GetObject", "arn:aws:s3:::" + source.lstrip("/").partition("?")[0]))
    for request._action, one in needed:
        try:
            check_action(request, one)
        except Exception:
            note(f"refused {user} {request._action} {one}")
            raise
        note(f"allowed {user} {request._action} {one}")

serialize_body = S3Serializer._serialize_body


def serialize_named(serializer: S3Serializer, body: dict) -> str:
    return serialize_body(serializer, {ROOTS.get(root, root): content for root, content in body.items()})


if __name__ == "__main__":
    S3Serializer._serialize_body = serialize_named
    IAMRequestBase.check_signature = check_signature
    IAMRequestBase.check_action_permitted = check_action_permitted
    SNSResponse._determine_resource = lambda self: self._get_param("TopicArn") or "*"
    # What each run of Textract returns: a page with one line.
    TextractBackend.PAGES = 1
    TextractBackend.BLOCKS = [
        {"BlockType": "PAGE", "Id": "p", "Page": 1},
        {"BlockType": "LINE", "Id": "l", "Page": 1, "Text": "a line", "Confidence": 99.0},
    ]
    application = SignatureToHeader(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True, request_handler=MotoRequestHandler)
