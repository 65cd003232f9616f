//! Examples of the document: one upload, told through its life.

use serde_json::{Value, json};

pub mod batches;
pub mod copies;

/// The upload of all examples.
pub const ID: &str = "01955114-3a40-7c3e-9d2b-8f1f5f0c2a11";

/// The request of all examples.
pub const REQUEST_ID: &str = "01955114-5596-7b1a-8c54-0d6f3f0d7e20";

const URL: &str = "https://bucket.s3.eu-central-1.amazonaws.com/data/employees.csv?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=example";

fn checksum() -> Value {
    json!({"algorithm": "SHA256", "value": "fOkJSaHAYR1ZbwxYc8CDbfSYLhE3tdUQA3cdpo8yNhg="})
}

fn verification() -> Value {
    json!({"level": "checksum", "by": "acknowledge", "at": "2025-03-01T10:00:07.123Z"})
}

/// The body of `POST /uploads`.
pub fn create_upload() -> Value {
    json!({
        "path": "/data/employees.csv",
        "name": "Employees",
        "content_type": "text/csv",
        "size": 18,
        "checksum": checksum(),
        "metadata": {"team": "hr"},
    })
}

/// A fresh session.
pub fn upload() -> Value {
    json!({
        "id": ID,
        "status": "Pending",
        "path": "/data/employees.csv",
        "name": "Employees",
        "comments": null,
        "metadata": {"team": "hr"},
        "content_type": "text/csv",
        "size": 18,
        "checksum": checksum(),
        "s3_url": "s3://bucket/data/employees.csv",
        "created_at": "2025-03-01T10:00:00.000Z",
        "updated_at": "2025-03-01T10:00:00.000Z",
        "expires_at": "2025-03-01T10:15:00.000Z",
        "uploaded_at": null,
        "error": null,
        "object": null,
        "verification": null,
        "drift": null,
        "upload": {
            "method": "PUT",
            "url": URL,
            "headers": {
                "content-type": "text/csv",
                "if-none-match": "*",
                "x-amz-checksum-sha256": "fOkJSaHAYR1ZbwxYc8CDbfSYLhE3tdUQA3cdpo8yNhg=",
                "x-amz-meta-upload-id": ID,
            },
            "expires_at": "2025-03-01T10:15:00.000Z",
        },
        "multipart": null,
    })
}

const PART_URL: &str = "https://bucket.s3.eu-central-1.amazonaws.com/data/employees.csv?x-id=UploadPart&partNumber=1&uploadId=example&X-Amz-Signature=example";

/// A request for an hour more.
pub fn extend() -> Value {
    json!({"expires_in": 3600})
}

/// A request for parts.
pub fn sign_parts() -> Value {
    json!({"from": 101, "count": 100})
}

/// Its answer.
pub fn signed_parts() -> Value {
    json!({"parts": [{
        "part_number": 101,
        "offset": 1_677_721_600_u64,
        "size": 16_777_216,
        "url": PART_URL,
        "headers": {},
        "expires_at": "2025-03-01T10:15:00.000Z",
    }]})
}

/// What is there of an upload.
pub fn parts_of_upload() -> Value {
    json!({
        "uploaded": [{
            "part_number": 1,
            "size": 16_777_216,
            "etag": "\"9b2cf535f27731c974343645a3985328\"",
            "checksum": {"algorithm": "CRC64NVME", "value": "AAAAAAAAAAA="},
        }],
        "missing": [[2, 3]],
        "part_size": 16_777_216,
        "part_count": 3,
    })
}

/// A session that lives on.
pub fn extended() -> Value {
    changed(json!({"expires_at": "2025-03-01T11:05:00.000Z"}))
}

/// The same, proven.
pub fn uploaded() -> Value {
    let proof = json!({
        "status": "Uploaded",
        "updated_at": "2025-03-01T10:00:07.123Z",
        "uploaded_at": "2025-03-01T10:00:07.123Z",
        "object": {
            "size": 18,
            "etag": "\"9b2cf535f27731c974343645a3985328\"",
            "version_id": null,
            "content_type": "text/csv",
            "checksum": checksum(),
            "last_modified": "2025-03-01T10:00:05.000Z",
        },
        "verification": verification(),
    });
    changed(proof)
}

/// The same, taken back.
pub fn cancelled() -> Value {
    changed(json!({"status": "Cancelled", "updated_at": "2025-03-01T10:01:00.000Z"}))
}

fn changed(by: Value) -> Value {
    let mut upload = upload();
    if let (Value::Object(upload), Value::Object(by)) = (&mut upload, by) {
        upload.insert("upload".into(), Value::Null);
        upload.extend(by);
    }
    upload
}

/// The body of an acknowledge.
pub fn acknowledge() -> Value {
    json!({"comments": "Checked by hand", "etag": "\"9b2cf535f27731c974343645a3985328\""})
}

/// The history of an upload.
pub fn events() -> Value {
    json!([{
        "id": "01955114-5596-7b1a-8c54-0d6f3f0d7e21",
        "upload_id": ID,
        "sequence": 1,
        "type": "dataset.uploaded",
        "time": "2025-03-01T10:00:07.123Z",
        "data": {"upload_id": ID, "path": "/data/employees.csv", "status": "Uploaded"},
        "published_at": "2025-03-01T10:00:07.456Z",
        "undeliverable_at": null,
    }])
}

fn listed() -> Value {
    json!({
        "name": "Employees",
        "path": "/data/employees.csv",
        "size": 18,
        "etag": "\"9b2cf535f27731c974343645a3985328\"",
        "last_modified": "2025-03-01T10:00:05.000Z",
    })
}

/// A page of `GET /datasets?prefix=/data/&delimiter=/`.
pub fn datasets() -> Value {
    let folder = json!({"name": "archive", "path": "/data/archive/", "kind": "folder"});
    let mut no_path = listed();
    let key = "data/employees.csv/";
    let more = json!({"name": key, "path": null, "key": key, "addressable": false});
    if let (Value::Object(no_path), Value::Object(more)) = (&mut no_path, more) {
        no_path.extend(more);
    }
    json!([folder, listed(), no_path])
}

/// The same as NDJSON.
pub fn ndjson() -> String {
    format!("{}\n", listed())
}

/// `GET /datasets/{path}`.
pub fn dataset() -> Value {
    let more = json!({
        "content_type": "text/csv",
        "metadata": {"upload-id": ID},
        "version_id": null,
        "checksum": checksum(),
        "upload": {"id": ID, "status": "Uploaded", "verification": verification()},
        "download_url": URL,
    });
    let mut dataset = listed();
    if let (Value::Object(dataset), Value::Object(more)) = (&mut dataset, more) {
        dataset.extend(more);
    }
    dataset
}

/// A download without the redirect.
pub fn download() -> Value {
    json!({"url": URL, "expires_at": "2025-03-01T10:15:00.000Z"})
}

/// A row of `GET /audit`.
pub fn audit_row() -> Value {
    json!({
        "id": "01955114-3a41-7d02-a0c5-2b1f8c6e4d90",
        "time": "2025-03-01T10:00:00.000Z",
        "action": "upload.created",
        "actor": "key:01955113-8d20-7f0a-b6a7-0a4f3f1f9b51",
        "tenant": "default",
        "address": "192.0.2.7",
        "request_id": REQUEST_ID,
        "operation": null,
        "upload_id": ID,
        "subject": null,
        "path": "/data/employees.csv",
        "expires_at": "2025-03-01T10:15:00.000Z",
        "code": null,
        "count": 1,
    })
}

/// The same as NDJSON.
pub fn audit_ndjson() -> String {
    format!("{}\n", audit_row())
}

/// The body of `POST /tokens`.
pub fn create_token() -> Value {
    json!({
        "prefix": "/in/", "scopes": ["uploads:write"], "expires_in": 900,
        "max_uploads": 10, "max_bytes": 1_000_000_000,
    })
}

/// Its answer.
pub fn token() -> Value {
    json!({"token": "ubt_eyJ0ZW5hbnQi.c2lnbmF0dXJl", "expires_at": "2025-03-01T10:15:00.000Z"})
}

/// `GET /heartbeat`.
pub fn heartbeat() -> Value {
    json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "time": "2025-03-01T10:00:00.000Z"})
}

/// `GET /readyz` on a good day.
pub fn ready() -> Value {
    json!({
        "status": "ready",
        "time": "2025-03-01T10:00:00.000Z",
        "checks": {"postgres": "ok", "s3": "ok"},
        "outbox": {"waiting": 0, "oldest_seconds": null},
        "s3_events": "off",
        "store": store(),
    })
}

fn store() -> Value {
    json!({
        "put_if_none_match": "yes",
        "put_if_match": "yes",
        "complete_if_none_match": "yes",
        "delete_if_match": "yes",
        "checksums": "yes",
        "head_checksums": "yes",
    })
}

/// `GET /readyz` on a bad one.
pub fn not_ready() -> Value {
    json!({
        "status": "unavailable",
        "time": "2025-03-01T10:00:00.000Z",
        "checks": {"postgres": "unavailable", "s3": "ok"},
        "outbox": null,
        "s3_events": "off",
        "store": store(),
    })
}
