//! A message of the queue of S3 event notifications.

use serde_json::json;
use upload_broker::arrivals::message::{ParsedMessage, Unreadable, read};

/// A parsed message names objects with a key, and parses to the same result in an SNS envelope.
pub fn hold(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let parsed = read(text);
    if let Ok(contents) = &parsed {
        let mut changes = contents.changes.iter();
        assert!(changes.all(|change| !change.key.is_empty()), "{parsed:?}");
    }
    let wrapped = json!({"Type": "Notification", "Message": text}).to_string();
    let wrapped: Result<ParsedMessage, Unreadable> = read(&wrapped);
    let is_envelope = wrapped == Err(Unreadable::AnotherSource);
    assert!(
        wrapped == parsed || is_envelope,
        "{parsed:?} in an envelope: {wrapped:?}"
    );
}
