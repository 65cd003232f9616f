//! The table of all settings, and the only place where their defaults stand.

use super::variable::{Fallback, Show, Variable};
use Fallback::{Derived, Required, Sdk, Text, Unset};
use Show::{Plain, Secret, Url};

/// Declares one constant a variable and lists them all, in this order.
macro_rules! table {
    ($($name:ident, $fallback:expr, $show:expr, $meaning:literal;)+) => {
        $(pub(super) const $name: Variable = Variable {
            name: stringify!($name),
            fallback: $fallback,
            show: $show,
            meaning: $meaning,
        };)+

        /// Every variable that the broker, or the AWS SDK in it, reads.
        pub const VARIABLES: &[Variable] = &[$($name),+];
    };
}

table! {
    DATABASE_URL, Required, Url, "Postgres, as `postgres://user:password@host:5432/database?sslmode=verify-full`.";
    BROKER_DB_POOL_SIZE, Text("16"), Plain, "Connections to Postgres at most.";
    BROKER_DB_CONNECT_TIMEOUT_SECONDS, Text("5"), Plain, "How long a connection to Postgres may take to open, all its hosts together.";
    BROKER_DB_POOL_WAIT_SECONDS, Text("2"), Plain, "How long a request waits for a free connection; past that it gets 503.";
    BROKER_DB_STATEMENT_TIMEOUT_SECONDS, Derived("`15`, or `BROKER_REQUEST_TIMEOUT_SECONDS` where that is less"), Plain, "How long one statement may take in Postgres.";
    BROKER_MIGRATE, Text("true"), Plain, "Whether `serve` migrates the database at its start.";

    BROKER_BIND, Text("127.0.0.1:8080"), Plain, "Address and port of the HTTP server.";
    BROKER_TLS_CERT, Unset, Plain, "The certificate, and those that lead to its authority, as a PEM file: the HTTP server then speaks TLS. Read again on SIGHUP.";
    BROKER_TLS_KEY, Unset, Plain, "Its private key, as a PEM file.";
    BROKER_METRICS, Text("true"), Plain, "Whether `/metrics` is served.";
    BROKER_METRICS_BIND, Unset, Plain, "A listener of its own for `/metrics`, without TLS; not set: `/metrics` is on the HTTP server.";
    BROKER_DOCS, Text("true"), Plain, "Whether `/docs`, `/openapi.yaml` and `/openapi.json` are served.";
    BROKER_DOCS_BIND, Unset, Plain, "A listener of its own for those, without TLS; it may be the same as that of `/metrics`. The forms of `/docs` reach the API from the HTTP server only.";
    BROKER_CORS_ORIGINS, Unset, Plain, "Exact origins whose pages may call, with credentials, comma-separated: `https://app.example.com`; not set: none.";
    BROKER_CORS_HEADERS, Unset, Plain, "Headers that those pages may send beside the usual ones, comma-separated: `x-my-trace`. Those of OpenTelemetry, Sentry and Datadog are among the usual ones.";
    BROKER_RATE_LIMIT_PER_KEY, Unset, Plain, "Requests a second of each API key, together with the upload tokens that were made with it, or of each JWT subject, and after a colon how many may come at once: `20:100`; those past it get 429. Not set: no limit.";
    BROKER_RATE_LIMIT_PER_ADDRESS, Unset, Plain, "The same of each client address (of IPv6, of each /64), counted before authentication: `50:200`.";
    BROKER_TRUSTED_PROXIES, Unset, Plain, "Addresses and networks of the proxies in front, comma-separated: `10.0.0.0/8,fd00::1`. Of them alone, `Forwarded` or `X-Forwarded-For` tells the client's address, and `Forwarded` or `X-Forwarded-Proto` whether it came by TLS.";
    BROKER_HTTP_WORKERS, Derived("one a core"), Plain, "Threads that serve HTTP.";
    BROKER_MAX_BODY_BYTES, Text("65536"), Plain, "The largest request body.";
    BROKER_MAX_BATCH_BODY_BYTES, Text("4194304"), Plain, "The largest body of `POST /uploads/batch`, `POST /uploads/batch/acknowledge` and `POST /uploads/{id}/parts`.";
    BROKER_MAX_IN_FLIGHT, Text("1024"), Plain, "Requests that may be under way at once; those past it get 503, unread.";
    BROKER_MAX_CONNECTIONS, Text("4096"), Plain, "Connections of clients at most, idle ones included; those past it wait to be accepted.";
    BROKER_REQUEST_TIMEOUT_SECONDS, Text("30"), Plain, "How long a request may take; its body may take half of it.";
    BROKER_HEAD_TIMEOUT_SECONDS, Text("10"), Plain, "How long the head of a request may take to arrive.";
    BROKER_WRITE_TIMEOUT_SECONDS, Text("30"), Plain, "How long a client may take to read the next 64 KiB of an answer.";
    BROKER_KEEP_ALIVE_SECONDS, Text("75"), Plain, "How long an idle connection is kept; longer than the load balancer in front keeps its own.";
    BROKER_SHUTDOWN_SECONDS, Text("25"), Plain, "How long running work may take to finish after SIGTERM.";
    BROKER_STOP_DELAY_SECONDS, Text("0"), Plain, "How much of that the broker goes on taking connections, with `/readyz` at 503, so that load balancers turn away.";
    BROKER_AUTH, Text("required"), Plain, "`required`, or `off` (with a loopback `BROKER_BIND` only).";
    BROKER_AUDIT, Text("on"), Plain, "`off`: callers' deeds are not written down. What operators do on the command line is, all the same.";
    BROKER_JWT_HS256_SECRET, Unset, Secret, "JWTs signed with this secret (HS256) are believed; at least 32 bytes.";
    BROKER_JWT_JWKS_URL, Unset, Url, "JWTs signed with a key of the set at this https URL (RS256, RS384, RS512, PS256, ES256, ES384, EdDSA) are believed.";
    BROKER_JWT_ISSUER, Unset, Plain, "The `iss` that JWTs must have; needed with `BROKER_JWT_JWKS_URL`.";
    BROKER_JWT_AUDIENCE, Unset, Plain, "What the `aud` of JWTs must hold; needed with `BROKER_JWT_JWKS_URL`. Not set: JWTs must have no `aud`.";
    BROKER_JWT_TENANT_CLAIM, Text("tenant"), Plain, "The claim of JWTs that names the tenant; a dot leads into an object.";
    BROKER_JWT_SCOPE_CLAIM, Unset, Plain, "The claim of JWTs that holds the scopes, as `realm_access.roles`; a dot leads into an object. Not set: the first of `scope`, `scp` and `permissions` that is there.";
    BROKER_TOKEN_SECRET, Unset, Secret, "What upload tokens are signed with, the same for all replicas, at least 32 bytes; not set: a secret that Postgres keeps.";

    BROKER_S3_BUCKET, Required, Plain, "The bucket that uploads go to.";
    BROKER_S3_PATH_STYLE, Derived("true with a custom endpoint, else false"), Plain, "Whether the bucket stands in the path of URLs instead of the host name.";
    BROKER_S3_PUBLIC_ENDPOINT, Unset, Url, "The endpoint that clients reach S3 by, where it is not the broker's own: pre-signed URLs use it. It may have a path, which is signed.";
    BROKER_S3_CONDITIONAL_WRITES, Text("auto"), Plain, "Whether the store honours `If-None-Match` and `If-Match`, on PUT, on CompleteMultipartUpload and on DELETE: `on`, `off`, or `auto`: AWS does, other stores are tried out.";
    BROKER_S3_PUT_IF_NONE_MATCH, Derived("as `BROKER_S3_CONDITIONAL_WRITES`"), Plain, "The same of `If-None-Match` on PUT alone. `off`: a create checks (HEAD) what stands at the path, and a second write is seen (`drifted`), not refused.";
    BROKER_S3_PUT_IF_MATCH, Derived("as `BROKER_S3_CONDITIONAL_WRITES`"), Plain, "The same of `If-Match` on PUT alone; `unquoted` for a store that wants ETags without their quotes. `off`: `if_match` is refused but for uploads in parts.";
    BROKER_S3_COMPLETE_IF_NONE_MATCH, Derived("as `BROKER_S3_CONDITIONAL_WRITES`"), Plain, "The same of both on CompleteMultipartUpload alone. `off`: the broker checks with a HEAD right before it completes.";
    BROKER_S3_DELETE_IF_MATCH, Derived("as `BROKER_S3_CONDITIONAL_WRITES`"), Plain, "The same of `If-Match` on DELETE alone. `off`: the broker checks with a HEAD right before it deletes.";
    BROKER_S3_CHECKSUMS, Text("auto"), Plain, "Whether the store refuses bytes that do not have the checksum they are sent with: `on`, `off` or `auto`. `off`: no proof is better than `size`.";
    BROKER_S3_HEAD_CHECKSUMS, Text("auto"), Plain, "Whether HEAD may ask the store for checksums (`x-amz-checksum-mode`): `on`, `off` or `auto`. `off`: no proof is better than `size`.";
    BROKER_S3_SSE, Text("none"), Plain, "Encryption at rest that every upload asks S3 for: `AES256` (SSE-S3) or `aws:kms` (SSE-KMS); `none`: as the bucket says.";
    BROKER_S3_SSE_KMS_KEY_ID, Unset, Plain, "The KMS key for that: its id, `alias/NAME`, or the ARN of one; not set: the one that AWS manages for S3.";
    BROKER_S3_SSE_BUCKET_KEY, Unset, Plain, "Whether S3 uses a bucket key for that, which saves calls of KMS; not set: as the bucket says.";

    BROKER_URL_SECONDS, Text("900"), Plain, "How long a pre-signed URL lives when the client does not say.";
    BROKER_EXPIRY_GRACE_SECONDS, Text("900"), Plain, "How long after its deadline an upload may still arrive before it expires.";
    BROKER_MAX_SIZE_BYTES, Text("53687091200000"), Plain, "The largest upload; the default is the largest object of S3. A single PUT carries 5 GiB at most.";
    BROKER_MULTIPART_THRESHOLD_BYTES, Text("104857600"), Plain, "Uploads larger than this come in parts, where the client does not say.";
    BROKER_COPY_THRESHOLD_BYTES, Text("5368709120"), Plain, "Datasets larger than this are copied in parts; S3 copies no more at once.";
    BROKER_SESSION_MAX_SECONDS, Text("604800"), Plain, "How long after its creation a session may be extended to, by fresh URLs too; the life that was asked for at first always holds.";
    BROKER_COMPLETE_TIMEOUT_SECONDS, Text("900"), Plain, "How long S3 may take to make an object of its parts, or to copy one; it needs minutes for large ones.";
    BROKER_ALLOWED_CONTENT_TYPES, Unset, Plain, "Content types that uploads may have, comma-separated: `text/csv,image/*`; not set: all.";

    BROKER_LEASE_SECONDS, Text("30"), Plain, "How long what a replica works on stays its own without a sign of life: after a crash, others take it over then. It is renewed at a third of that while the replica lives.";
    BROKER_JANITOR_PERIOD_SECONDS, Text("60"), Plain, "Time between two rounds of the janitor: overdue uploads, unfinished deletes, last looks, retention.";
    BROKER_SWEEP_PERIOD_SECONDS, Text("86400"), Plain, "Time from the end of one comparison of the bucket with the database to the next; `0`: none.";
    BROKER_SWEEP_PAUSE_MILLISECONDS, Text("250"), Plain, "Rest after each page of 1,000 in such a comparison.";
    BROKER_STALE_MULTIPART_PERIOD_SECONDS, Text("86400"), Plain, "Time from the end of one look at the multipart uploads that are open at S3 to the next; `0`: none.";
    BROKER_STALE_MULTIPART_SECONDS, Text("604800"), Plain, "How long nothing must have come to a multipart upload at S3 that no upload knows before it is aborted; `0`: never.";
    BROKER_STALE_MULTIPART_SCOPE, Text("own"), Plain, "Where such are aborted: `own`, only where the key is the broker's, or `bucket`, wherever they are.";
    BROKER_RETENTION_EVENTS_DAYS, Unset, Plain, "How many days events are kept that do not wait for SNS; not set: for ever.";
    BROKER_RETENTION_UPLOADS_DAYS, Unset, Plain, "How many days uploads are kept that ended, with their events; not set: for ever.";
    BROKER_RETENTION_AUDIT_DAYS, Unset, Plain, "How many days rows of the audit are kept; not set: for ever.";

    BROKER_SNS_TOPIC_ARN, Unset, Plain, "The SNS topic that events go to; not set: events are kept.";
    BROKER_S3_EVENTS_QUEUE_URL, Unset, Url, "The SQS queue that S3's own events arrive in; not set: uploads complete by their clients' word.";

    BROKER_LOG_FORMAT, Text("text"), Plain, "`text`, or `json` for one object a line.";
    RUST_LOG, Text("info"), Plain, "What is logged, as `info` or `upload_broker=debug,info`.";

    BROKER_DEV_DIR, Text(".dev"), Plain, "Where `dev` keeps its state.";
    BROKER_DEV_S3_BIND, Text("127.0.0.1:9000"), Plain, "Address and port of the S3 server of `dev`.";

    BROKER_AWS_CONNECT_TIMEOUT_SECONDS, Derived("`2`, or the attempt's where that is less"), Plain, "How long a connection to S3, SNS or SQS may take to open.";
    BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS, Derived("`5`, or the total where that is less"), Plain, "How long one attempt of a call to S3, SNS or SQS may take.";
    BROKER_AWS_TIMEOUT_SECONDS, Derived("`12`, or `BROKER_REQUEST_TIMEOUT_SECONDS` where that is less"), Plain, "How long such a call may take with all its attempts and the waiting between them.";

    AWS_REGION, Sdk, Plain, "Region of the bucket and the topic.";
    AWS_ENDPOINT_URL_S3, Sdk, Url, "Endpoint of S3, where it is not AWS; below a path, as `https://example.com/storage/v1/s3`, too.";
    AWS_ENDPOINT_URL_SNS, Sdk, Url, "Endpoint of SNS, where it is not AWS.";
    AWS_ENDPOINT_URL_SQS, Sdk, Url, "Endpoint of SQS, where it is not AWS and not that of the queue's URL.";
    AWS_ENDPOINT_URL, Sdk, Url, "Endpoint of every AWS service, where it is not AWS.";
    AWS_PROFILE, Sdk, Plain, "Profile in the AWS configuration files.";
    AWS_ACCESS_KEY_ID, Sdk, Secret, "Static credentials: the key id.";
    AWS_SECRET_ACCESS_KEY, Sdk, Secret, "Static credentials: the secret.";
    AWS_SESSION_TOKEN, Sdk, Secret, "Static credentials: the session token of temporary ones.";
    AWS_ROLE_ARN, Sdk, Plain, "The role taken with a web identity.";
    AWS_WEB_IDENTITY_TOKEN_FILE, Sdk, Plain, "The token file of a web identity.";
    AWS_CONTAINER_CREDENTIALS_FULL_URI, Sdk, Url, "Where a container asks for credentials.";
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, Sdk, Plain, "Where a container on ECS asks for credentials.";
    AWS_CONFIG_FILE, Sdk, Plain, "The AWS configuration file.";
    AWS_SHARED_CREDENTIALS_FILE, Sdk, Plain, "The AWS credentials file.";
    AWS_CA_BUNDLE, Unset, Plain, "Certificates of authorities, as a PEM file, that the endpoints of S3, SNS and SQS are believed by beside the system's.";
    SSL_CERT_FILE, Unset, Plain, "Certificates of authorities, as a PEM file, in place of the system's: for every TLS connection that the broker opens.";
    SSL_CERT_DIR, Unset, Plain, "The same as a folder of such files.";
    AWS_USE_FIPS_ENDPOINT, Sdk, Plain, "Whether AWS endpoints are the FIPS ones.";
    AWS_USE_DUALSTACK_ENDPOINT, Sdk, Plain, "Whether AWS endpoints have IPv6 too.";
}
