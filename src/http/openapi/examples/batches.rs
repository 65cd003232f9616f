//! Examples of batches.

use serde_json::{Value, json};

use super::{ID, REQUEST_ID, create_upload, upload, uploaded};

/// Another upload.
const OTHER_ID: &str = "01955114-3a41-7d52-b0a4-2c6f1d8e9b05";

/// The body of `POST /uploads/batch`.
pub fn create_uploads() -> Value {
    json!({"uploads": [create_upload(), {"path": "/data/taken.csv"}]})
}

/// Its answer.
pub fn batch_results() -> Value {
    let problem = json!({
        "type": "/problems/dataset-exists",
        "title": "Something stands at that path",
        "status": 409,
        "detail": "A dataset stands at /data/taken.csv. Set overwrite to replace it, or if_match to replace exactly one version.",
        "instance": "/uploads/batch",
        "code": "dataset-exists",
        "request_id": REQUEST_ID,
    });
    json!({"results": [
        {"status": 201, "upload": upload()},
        {"status": 409, "problem": problem},
    ]})
}

/// The body of `POST /uploads/batch/acknowledge`.
pub fn acknowledge_uploads() -> Value {
    json!({"acknowledge": [
        {"id": ID, "size": 18, "etag": "\"9b2cf535f27731c974343645a3985328\""},
        {"id": OTHER_ID},
    ]})
}

/// Its answer.
pub fn acknowledged_uploads() -> Value {
    let problem = json!({
        "type": "/problems/object-missing",
        "title": "The bytes are not there yet",
        "status": 409,
        "detail": "Nothing stands at its path yet.",
        "instance": "/uploads/batch/acknowledge",
        "code": "object-missing",
        "request_id": REQUEST_ID,
        "upload_id": OTHER_ID,
        "upload_status": "Pending",
    });
    json!({"results": [
        {"status": 200, "upload": uploaded()},
        {"status": 409, "problem": problem},
    ]})
}
