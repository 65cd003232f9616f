//! The table of all settings, which is the only place that contains their defaults.

use super::variable::{Fallback, Show, Variable};
use Fallback::{Derived, Required, Sdk, Text, Unset};
use Show::{Plain, Secret, Url};

/// Declares one constant per variable, and lists all of them in this order.
macro_rules! table {
    ($($name:ident, $fallback:expr, $show:expr, $meaning:literal;)+) => {
        $(pub(super) const $name: Variable = Variable {
            name: stringify!($name),
            fallback: $fallback,
            show: $show,
            meaning: $meaning,
        };)+

        /// Every variable that the broker, or the AWS SDK within it, reads.
        pub const VARIABLES: &[Variable] = &[$($name),+];
    };
}

table! {
    DATABASE_URL, Required, Url, "URL of Postgres, as `postgres://user:password@host:5432/database?sslmode=verify-full`. Not required if `DATABASE_URL_FILE` or `BROKER_DB_HOST` is set.";
    DATABASE_URL_FILE, Unset, Plain, "File that contains `DATABASE_URL`; read at the start.";
    BROKER_DB_HOST, Unset, Plain, "Host name of Postgres, or the folder of its Unix socket, instead of `DATABASE_URL`; several names may be separated by commas.";
    BROKER_DB_PORT, Unset, Plain, "Port of Postgres; 5432 if not set.";
    BROKER_DB_NAME, Unset, Plain, "Name of the database; that of the role if not set.";
    BROKER_DB_USER, Unset, Plain, "Role that the broker logs in as.";
    BROKER_DB_PASSWORD, Unset, Secret, "Password of the role, without any encoding.";
    BROKER_DB_PASSWORD_FILE, Unset, Plain, "File that contains the password; read again for each new connection, so that a rotated password is used without a restart.";
    BROKER_DB_SSLMODE, Unset, Plain, "`disable`, `prefer`, `require`, `verify-ca` or `verify-full`, as in `DATABASE_URL`; `prefer` if not set.";
    BROKER_DB_SSLROOTCERT, Unset, Plain, "PEM file with the certificate authorities of Postgres, such as the bundle of Amazon RDS.";
    BROKER_DB_POOL_SIZE, Text("16"), Plain, "Maximum number of connections to Postgres.";
    BROKER_DB_CONNECT_TIMEOUT_SECONDS, Text("5"), Plain, "Seconds that opening a connection to Postgres may take, for all its hosts together.";
    BROKER_DB_POOL_WAIT_SECONDS, Text("2"), Plain, "Seconds that a request waits for a free connection before it fails with 503.";
    BROKER_DB_STATEMENT_TIMEOUT_SECONDS, Derived("`15`, or `BROKER_REQUEST_TIMEOUT_SECONDS` if that is less"), Plain, "Seconds that one Postgres statement may take.";
    BROKER_MIGRATE, Text("true"), Plain, "Whether `serve` migrates the database when it starts.";

    BROKER_ROLES, Text("http,relay,janitor,events"), Plain, "What this process runs, comma-separated: `http` (the API), `relay` (publishes events to SNS and sends webhooks), `janitor`, `events` (reads S3 event notifications), `worker` (runs jobs, as `upload-broker worker` does). Each of the first four must run in at least one process. Without `http`, `BROKER_BIND` serves the health checks and the metrics only.";
    BROKER_BIND, Text("127.0.0.1:8080"), Plain, "Address and port of the HTTP server.";
    BROKER_TLS_CERT, Unset, Plain, "PEM file with the certificate and its chain; enables TLS on the HTTP server. Read again on SIGHUP.";
    BROKER_TLS_KEY, Unset, Plain, "PEM file with the private key of that certificate.";
    BROKER_METRICS, Text("true"), Plain, "Whether `/metrics` is served.";
    BROKER_METRICS_BIND, Unset, Plain, "Address and port of a separate listener for `/metrics`, without TLS; not set: the HTTP server serves it.";
    BROKER_DOCS, Text("true"), Plain, "Whether `/docs`, `/openapi.yaml` and `/openapi.json` are served.";
    BROKER_DOCS_BIND, Unset, Plain, "Address and port of a separate listener for these pages, without TLS; it may be the one of `/metrics`. The forms of `/docs` only work when the HTTP server serves them.";
    BROKER_PAGE, Text("true"), Plain, "Whether `/` is the web page for uploads and datasets; otherwise it only links to the documentation.";
    BROKER_CORS_ORIGINS, Unset, Plain, "Exact origins whose web pages may call the API with credentials, comma-separated: `https://app.example.com`; not set: none.";
    BROKER_CORS_HEADERS, Unset, Plain, "Request headers that those pages may send in addition to the default ones, comma-separated: `x-my-trace`. The default ones include those of OpenTelemetry, Sentry and Datadog.";
    BROKER_RATE_LIMIT_PER_KEY, Unset, Plain, "Requests per second of each API key (including the upload tokens issued with it) or JWT subject, and after a colon the burst size: `20:100`; requests above the limit get 429. Not set: no limit.";
    BROKER_RATE_LIMIT_PER_ADDRESS, Unset, Plain, "The same for each client address (for IPv6, each /64 network), counted before authentication: `50:200`.";
    BROKER_TRUSTED_PROXIES, Unset, Plain, "Addresses and networks of the proxies in front of the broker, comma-separated: `10.0.0.0/8,fd00::1`. Only these proxies are trusted to report the client's address (`Forwarded`, `X-Forwarded-For`) and its use of TLS (`Forwarded`, `X-Forwarded-Proto`).";
    BROKER_HTTP_WORKERS, Derived("one per core"), Plain, "Number of worker threads of the HTTP server.";
    BROKER_MAX_BODY_BYTES, Text("65536"), Plain, "Largest request body in bytes.";
    BROKER_MAX_BATCH_BODY_BYTES, Text("4194304"), Plain, "Largest body in bytes of `POST /uploads/batch`, `POST /uploads/batch/acknowledge` and `POST /uploads/{id}/parts`.";
    BROKER_MAX_IN_FLIGHT, Text("1024"), Plain, "Maximum number of requests in flight; further requests get 503 without being read.";
    BROKER_MAX_CONNECTIONS, Text("4096"), Plain, "Maximum number of client connections, including idle ones; further connections wait to be accepted.";
    BROKER_MAX_STREAMS, Derived("a quarter of `BROKER_MAX_CONNECTIONS`"), Plain, "Maximum number of live streams of events (`text/event-stream`), which do not count as requests in flight; further ones get 503.";
    BROKER_MAX_STREAMS_PER_TENANT, Text("100"), Plain, "Maximum number of live streams of each tenant in this process; further ones get 429.";
    BROKER_REQUEST_TIMEOUT_SECONDS, Text("30"), Plain, "Seconds that a request may take; receiving its body may take half of it.";
    BROKER_HEAD_TIMEOUT_SECONDS, Text("10"), Plain, "Seconds that the head of a request may take to arrive.";
    BROKER_WRITE_TIMEOUT_SECONDS, Text("30"), Plain, "Seconds that a client may take to read the next 64 KiB of a response.";
    BROKER_KEEP_ALIVE_SECONDS, Text("75"), Plain, "Seconds that an idle connection is kept open; should be longer than the idle timeout of a load balancer in front.";
    BROKER_SHUTDOWN_SECONDS, Text("25"), Plain, "Seconds that running work may take to finish after SIGTERM.";
    BROKER_STOP_DELAY_SECONDS, Text("0"), Plain, "Seconds of that time in which the broker still accepts connections, while `/readyz` returns 503 so that load balancers stop sending requests.";
    BROKER_AUTH, Text("required"), Plain, "Authentication of callers: `required`, or `off` (only with a loopback `BROKER_BIND`).";
    BROKER_AUDIT, Text("on"), Plain, "Audit of callers' actions: `on` or `off`. Actions of operators on the command line are always recorded.";
    BROKER_JWT_HS256_SECRET, Unset, Secret, "Secret of JWTs that are signed with HS256; at least 32 bytes. Not set: such JWTs are rejected.";
    BROKER_JWT_HS256_SECRET_FILE, Unset, Plain, "File that contains `BROKER_JWT_HS256_SECRET`; read at the start.";
    BROKER_JWT_JWKS_URL, Unset, Url, "https URL of the key set (JWKS) of JWTs that are signed with RS256, RS384, RS512, PS256, ES256, ES384 or EdDSA. Not set: such JWTs are rejected.";
    BROKER_JWT_ISSUER, Unset, Plain, "Required `iss` of JWTs; must be set with `BROKER_JWT_JWKS_URL`.";
    BROKER_JWT_AUDIENCE, Unset, Plain, "Required entry in the `aud` of JWTs; must be set with `BROKER_JWT_JWKS_URL`. Not set: JWTs must have no `aud`.";
    BROKER_JWT_TENANT_CLAIM, Text("tenant"), Plain, "JWT claim that names the tenant; a dot addresses a nested object.";
    BROKER_JWT_SCOPE_CLAIM, Unset, Plain, "JWT claim that holds the scopes, such as `realm_access.roles`; a dot addresses a nested object. Not set: the first of `scope`, `scp` and `permissions` that exists.";
    BROKER_TOKEN_SECRET, Unset, Secret, "Secret that signs upload tokens, the same for all replicas, at least 32 bytes; not set: a secret stored in Postgres.";
    BROKER_TOKEN_SECRET_FILE, Unset, Plain, "File that contains `BROKER_TOKEN_SECRET`; read at the start.";

    BROKER_S3_BUCKET, Required, Plain, "Bucket of the uploads.";
    BROKER_S3_PATH_STYLE, Derived("`true` with a custom endpoint, else `false`"), Plain, "Whether URLs contain the bucket in the path instead of the host name.";
    BROKER_S3_PUBLIC_ENDPOINT, Unset, Url, "Endpoint of S3 for clients, used in pre-signed URLs, if it differs from the broker's. It may have a path, which is signed.";
    BROKER_S3_CONDITIONAL_WRITES, Text("auto"), Plain, "Whether the store honours `If-None-Match` and `If-Match` on PUT, CompleteMultipartUpload and DELETE: `on`, `off` or `auto` (`on` for AWS; other stores are tested).";
    BROKER_S3_PUT_IF_NONE_MATCH, Derived("as `BROKER_S3_CONDITIONAL_WRITES`"), Plain, "The same for `If-None-Match` on PUT only. `off`: a create checks with a HEAD whether the path is free, and a second write is detected (`drifted`) but not rejected.";
    BROKER_S3_PUT_IF_MATCH, Derived("as `BROKER_S3_CONDITIONAL_WRITES`"), Plain, "The same for `If-Match` on PUT only; `unquoted` for a store that requires ETags without quotes. `off`: `if_match` is rejected except for multipart uploads.";
    BROKER_S3_COMPLETE_IF_NONE_MATCH, Derived("as `BROKER_S3_CONDITIONAL_WRITES`"), Plain, "The same for both headers on CompleteMultipartUpload only. `off`: the broker checks with a HEAD immediately before it completes an upload.";
    BROKER_S3_DELETE_IF_MATCH, Derived("as `BROKER_S3_CONDITIONAL_WRITES`"), Plain, "The same for `If-Match` on DELETE only. `off`: the broker checks with a HEAD immediately before it deletes an object.";
    BROKER_S3_CHECKSUMS, Text("auto"), Plain, "Whether the store rejects bytes that do not match the checksum of the request: `on`, `off` or `auto`. `off`: proofs are at most of the level `size`.";
    BROKER_S3_HEAD_CHECKSUMS, Text("auto"), Plain, "Whether the store returns checksums to a HEAD (`x-amz-checksum-mode`): `on`, `off` or `auto`. `off`: proofs are at most of the level `size`.";
    BROKER_S3_SSE, Text("none"), Plain, "Encryption at rest that every upload requests from S3: `AES256` (SSE-S3), `aws:kms` (SSE-KMS), or `none` (the default of the bucket).";
    BROKER_S3_SSE_KMS_KEY_ID, Unset, Plain, "KMS key for `aws:kms`: its id, `alias/NAME`, or the ARN of a key or alias; not set: the AWS managed key for S3.";
    BROKER_S3_SSE_BUCKET_KEY, Unset, Plain, "Whether S3 uses an S3 Bucket Key for `aws:kms`, which saves KMS calls; not set: the default of the bucket.";

    BROKER_URL_SECONDS, Text("900"), Plain, "Default lifetime of a pre-signed URL in seconds.";
    BROKER_EXPIRY_GRACE_SECONDS, Text("900"), Plain, "Seconds after its deadline in which an upload may still arrive before it expires.";
    BROKER_MAX_SIZE_BYTES, Text("53687091200000"), Plain, "Largest upload in bytes; the default is the largest object of S3. A single PUT is limited to 5 GiB.";
    BROKER_MULTIPART_THRESHOLD_BYTES, Text("104857600"), Plain, "Uploads larger than this (in bytes) are multipart uploads, if the client does not choose.";
    BROKER_COPY_THRESHOLD_BYTES, Text("5368709120"), Plain, "Datasets larger than this (in bytes) are copied in parts; the default is the limit of a single copy in S3.";
    BROKER_SESSION_MAX_SECONDS, Text("604800"), Plain, "Maximum lifetime of a session in seconds from its creation, including extensions by fresh URLs; the lifetime requested at its creation is always granted.";
    BROKER_COMPLETE_TIMEOUT_SECONDS, Text("900"), Plain, "Seconds that S3 may take to assemble an object from its parts, or to copy one; large objects take minutes.";
    BROKER_ALLOWED_CONTENT_TYPES, Unset, Plain, "Content types that uploads may have, comma-separated: `text/csv,image/*`; not set: all.";

    BROKER_LEASE_SECONDS, Text("30"), Plain, "Seconds of a lease: after a crash, other replicas take over the replica's work when its leases end. A running replica renews its leases after a third of that time.";
    BROKER_JANITOR_PERIOD_SECONDS, Text("60"), Plain, "Seconds between two rounds of the janitor: overdue uploads, unfinished deletes, final checks, retention.";
    BROKER_UPPY_LOOK_SECONDS, Text("15"), Plain, "Seconds from the creation of a single upload by an Uppy client to the first check whether its object has arrived, and between two passes of these checks; `0`: no checks, such uploads wait for an S3 event or for their deadline.";
    BROKER_SWEEP_PERIOD_SECONDS, Text("86400"), Plain, "Seconds from the end of a sweep (the comparison of the bucket with the database) to the next one; `0`: no sweeps.";
    BROKER_SWEEP_PAUSE_MILLISECONDS, Text("250"), Plain, "Pause in milliseconds after each page of 1,000 in a sweep.";
    BROKER_STALE_MULTIPART_PERIOD_SECONDS, Text("86400"), Plain, "Seconds from the end of a check for stale multipart uploads in S3 to the next one; `0`: no checks.";
    BROKER_STALE_MULTIPART_SECONDS, Text("604800"), Plain, "Seconds without a new part after which a multipart upload in S3 that belongs to no session is aborted; `0`: never.";
    BROKER_STALE_MULTIPART_SCOPE, Text("own"), Plain, "Which of these are aborted: `own` (only those at keys of the broker) or `bucket` (all in the bucket).";
    BROKER_RETENTION_EVENTS_DAYS, Unset, Plain, "Days that events are kept that are not waiting for SNS; not set: forever.";
    BROKER_RETENTION_UPLOADS_DAYS, Unset, Plain, "Days that ended uploads and their events are kept; not set: forever.";
    BROKER_RETENTION_AUDIT_DAYS, Unset, Plain, "Days that audit records are kept; not set: forever.";

    BROKER_WORKER_BIND, Text("127.0.0.1:8081"), Plain, "Address and port of the health checks and the metrics of `upload-broker worker`.";
    BROKER_WORKER_QUEUE_URL, Unset, Url, "SQS queue that is subscribed to the topic and wakes workers; not set: workers ask Postgres every second.";
    BROKER_PDF_ENGINE, Text("embedded"), Plain, "What extracts the text of documents for `pdf-text`: `embedded` (poppler, on the machine of the worker) or `textract` (Amazon Textract).";
    BROKER_TEXTRACT_TOPIC_ARN, Unset, Plain, "SNS topic to which Textract publishes the end of its work; the queue of the workers is subscribed to it. Not set: workers ask Textract.";
    BROKER_TEXTRACT_ROLE_ARN, Unset, Plain, "Role that Textract takes to publish to that topic.";
    BROKER_WORKER_PROCESSORS, Unset, Plain, "Processors whose jobs a worker runs, comma-separated: `csv-aggregate`, `csv-merge`, `image-resize`, `pdf-text`; not set: all that ship with the broker and whose programs are installed.";
    BROKER_WORKER_JOBS, Text("2"), Plain, "Number of jobs that a worker runs at the same time.";
    BROKER_WORKER_LEASE_SECONDS, Text("60"), Plain, "Seconds of the lease of a job: after a crash, another worker starts it again when the lease ends. A running worker renews it after a third of that time.";
    BROKER_WORKER_MEMORY_BYTES, Text("134217728"), Plain, "Memory in bytes for the data of one job; larger data is sorted on disk. The process of a job is ended if it needs much more.";
    BROKER_WORKER_CPU_SECONDS, Text("3600"), Plain, "Seconds of CPU time that a job may use.";
    BROKER_WORKER_SECONDS, Text("7200"), Plain, "Seconds that a job may take.";
    BROKER_WORKER_OUTPUT_BYTES, Text("5368709120"), Plain, "Largest result of a job in bytes.";
    BROKER_WORKER_SPILL_BYTES, Text("21474836480"), Plain, "Most bytes of one job in temporary files.";
    BROKER_WORKER_SCRATCH, Unset, Plain, "Folder for the temporary files of jobs; not set: that of the system.";
    BROKER_DERIVED_PREFIX, Text("/derived/"), Plain, "Folder of the datasets that jobs write.";

    BROKER_SNS_TOPIC_ARN, Unset, Plain, "SNS topic that events are published to; not set: events are only stored.";
    BROKER_NOTIFY, Text("dataset.uploaded"), Plain, "Event types that are published to that topic, comma-separated: `dataset.uploaded,dataset.deleted`; events of other types are only stored. The same for all replicas.";
    BROKER_WEBHOOKS_ALLOW_PRIVATE, Text("false"), Plain, "Whether webhooks may have `http` URLs and addresses that are not public (loopback, private networks, link-local). Set it only if everybody who may add a webhook may reach the broker's network.";
    BROKER_S3_EVENTS_QUEUE_URL, Unset, Url, "SQS queue of S3 event notifications; not set: uploads are only completed when their clients acknowledge them.";

    BROKER_PROCESSORS_FILE, Unset, Plain, "TOML file of the rules that say which uploads are processed, and by which processor; all replicas need the same rules. Not set: no rules in `serve`, and an example in `dev`.";

    BROKER_LOG_FORMAT, Text("text"), Plain, "Log format: `text`, or `json` for one object per line.";
    RUST_LOG, Text("info"), Plain, "Log filter, such as `info` or `upload_broker=debug,info`.";

    OTEL_EXPORTER_OTLP_ENDPOINT, Unset, Url, "Base URL of an OpenTelemetry collector that receives OTLP over HTTP (protobuf), such as `http://collector:4318`; traces are sent to `/v1/traces` below it. Not set: no traces, unless the next variable is set.";
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, Unset, Url, "The whole URL that traces are sent to, instead of the one below that base URL.";
    OTEL_EXPORTER_OTLP_HEADERS, Unset, Secret, "Headers of these requests, comma-separated: `authorization=Bearer%20TOKEN`; values may be percent-encoded.";
    OTEL_EXPORTER_OTLP_HEADERS_FILE, Unset, Plain, "File that contains `OTEL_EXPORTER_OTLP_HEADERS`; read at the start.";
    OTEL_SERVICE_NAME, Derived("`service.name` of `OTEL_RESOURCE_ATTRIBUTES`, or `upload-broker`"), Plain, "Name of the service in traces.";
    OTEL_RESOURCE_ATTRIBUTES, Unset, Plain, "Further attributes of the process in traces, comma-separated: `deployment.environment.name=production,k8s.pod.name=broker-0`.";
    OTEL_TRACES_SAMPLER, Text("parentbased_always_on"), Plain, "Which traces are recorded: `parentbased_always_on`, `parentbased_always_off` or `parentbased_traceidratio` follow the decision of a caller that sends `traceparent`, and decide for all others; `always_on`, `always_off` and `traceidratio` decide for all.";
    OTEL_TRACES_SAMPLER_ARG, Unset, Plain, "Fraction of the traces that the samplers with `traceidratio` record, from 0 to 1; not set: 1.";
    BROKER_SENTRY_DSN, Unset, Secret, "DSN of a Sentry project that internal errors (500) and panics are reported to: `https://KEY@HOST/PROJECT`. Not set: nothing is reported.";
    BROKER_SENTRY_DSN_FILE, Unset, Plain, "File that contains `BROKER_SENTRY_DSN`; read at the start.";
    BROKER_SENTRY_ENVIRONMENT, Text("production"), Plain, "Name of the environment in these reports.";

    BROKER_DEV_DIR, Text(".dev"), Plain, "Folder of the state of `dev`.";
    BROKER_DEV_S3_BIND, Text("127.0.0.1:9000"), Plain, "Address and port of the S3 server of `dev`.";

    BROKER_AWS_CONNECT_TIMEOUT_SECONDS, Derived("`2`, or the attempt timeout if that is less"), Plain, "Seconds that opening a connection to S3, SNS, SQS or Textract may take.";
    BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS, Derived("`5`, or the total timeout if that is less"), Plain, "Seconds that one attempt of a call to S3, SNS, SQS or Textract may take.";
    BROKER_AWS_TIMEOUT_SECONDS, Derived("`12`, or `BROKER_REQUEST_TIMEOUT_SECONDS` if that is less"), Plain, "Seconds that such a call may take with all attempts and the delays between them. A call that publishes to SNS takes 12 seconds at most.";

    AWS_REGION, Sdk, Plain, "Region of the bucket and the topic.";
    AWS_ENDPOINT_URL_S3, Sdk, Url, "Endpoint of S3, if it is not AWS; may have a path, such as `https://example.com/storage/v1/s3`.";
    AWS_ENDPOINT_URL_SNS, Sdk, Url, "Endpoint of SNS, if it is not AWS.";
    AWS_ENDPOINT_URL_SQS, Sdk, Url, "Endpoint of SQS, if it is neither AWS nor the host of the queue URL.";
    AWS_ENDPOINT_URL_TEXTRACT, Sdk, Url, "Endpoint of Textract, if it is not AWS.";
    AWS_ENDPOINT_URL, Sdk, Url, "Endpoint of all AWS services, if it is not AWS.";
    AWS_PROFILE, Sdk, Plain, "Profile in the AWS configuration files.";
    AWS_ACCESS_KEY_ID, Sdk, Secret, "Static credentials: the key id.";
    AWS_SECRET_ACCESS_KEY, Sdk, Secret, "Static credentials: the secret.";
    AWS_SESSION_TOKEN, Sdk, Secret, "Static credentials: the session token of temporary ones.";
    AWS_ROLE_ARN, Sdk, Plain, "Role that is assumed with a web identity.";
    AWS_WEB_IDENTITY_TOKEN_FILE, Sdk, Plain, "Token file of a web identity.";
    AWS_CONTAINER_CREDENTIALS_FULL_URI, Sdk, Url, "URL of the credentials endpoint in a container.";
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, Sdk, Plain, "Path of the credentials endpoint in a container on ECS.";
    AWS_CONFIG_FILE, Sdk, Plain, "The AWS configuration file.";
    AWS_SHARED_CREDENTIALS_FILE, Sdk, Plain, "The AWS credentials file.";
    AWS_CA_BUNDLE, Unset, Plain, "PEM file with certificate authorities that are trusted for S3, SNS, SQS and Textract in addition to the system's.";
    SSL_CERT_FILE, Unset, Plain, "PEM file with certificate authorities that replace the system's, for every TLS connection that the broker opens.";
    SSL_CERT_DIR, Unset, Plain, "The same as a folder of PEM files.";
    AWS_USE_FIPS_ENDPOINT, Sdk, Plain, "Whether the FIPS endpoints of AWS are used.";
    AWS_USE_DUALSTACK_ENDPOINT, Sdk, Plain, "Whether the dual-stack (IPv4 and IPv6) endpoints of AWS are used.";
}
