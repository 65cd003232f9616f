//! The values that the examples of several operations share: one upload at several moments of its
//! life. Every other example is next to the handler whose request or answer it shows.

use serde_json::{Value, json};

/// The id of the upload in all examples.
pub const ID: &str = "01955114-3a40-7c3e-9d2b-8f1f5f0c2a11";

/// The id that S3 gave to an upload in parts, in all examples.
pub const S3_UPLOAD_ID: &str = "VXBsb2FkIElE";

/// The id of the request in all examples.
pub const REQUEST_ID: &str = "01955114-5596-7b1a-8c54-0d6f3f0d7e20";

/// A pre-signed URL of the object of the upload.
pub const URL: &str = "https://bucket.s3.eu-central-1.amazonaws.com/data/employees.csv?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=example";

/// The checksum of the object of the upload.
pub fn checksum() -> Value {
    json!({"algorithm": "SHA256", "value": "fOkJSaHAYR1ZbwxYc8CDbfSYLhE3tdUQA3cdpo8yNhg="})
}

/// The verification of the upload, once it is Uploaded.
pub fn verification() -> Value {
    json!({"level": "checksum", "by": "acknowledge", "at": "2025-03-01T10:00:07.123Z"})
}

/// The upload right after it was created: it is Pending and has a pre-signed URL.
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
        "derived_from": null,
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

/// The upload once it is Uploaded.
pub fn uploaded() -> Value {
    let changes = json!({
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
    changed(changes)
}

/// The upload without a pre-signed URL, and with the members of `by` in place of its own.
pub fn changed(by: Value) -> Value {
    let mut upload = upload();
    if let (Value::Object(upload), Value::Object(by)) = (&mut upload, by) {
        upload.insert("upload".into(), Value::Null);
        upload.extend(by);
    }
    upload
}
