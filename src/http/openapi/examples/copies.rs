//! Examples of copies.

use serde_json::{Value, json};

use super::{changed, uploaded};

/// The body of a copy.
pub fn copy() -> Value {
    json!({"to": "/data/new.csv", "overwrite": false, "move": false})
}

/// Its answer.
pub fn copied() -> Value {
    at_new_path(uploaded())
}

/// The answer while the store is at it.
pub fn copying() -> Value {
    at_new_path(changed(json!({})))
}

fn at_new_path(mut upload: Value) -> Value {
    let new = json!({"path": "/data/new.csv", "s3_url": "s3://bucket/data/new.csv"});
    if let (Value::Object(upload), Value::Object(new)) = (&mut upload, new) {
        upload.extend(new);
    }
    upload
}
