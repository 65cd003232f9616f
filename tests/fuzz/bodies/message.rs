//! A message of the queue of S3's events.

use serde_json::json;
use upload_broker::arrivals::message::{ParsedMessage, Unreadable, read};

/// What is read names objects, and reads the same in an envelope of SNS.
pub fn hold(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let told = read(text);
    if let Ok(contents) = &told {
        let mut changes = contents.changes.iter();
        assert!(changes.all(|change| !change.key.is_empty()), "{told:?}");
    }
    let wrapped = json!({"Type": "Notification", "Message": text}).to_string();
    let wrapped: Result<ParsedMessage, Unreadable> = read(&wrapped);
    let is_envelope = wrapped == Err(Unreadable::AnotherSource);
    assert!(
        wrapped == told || is_envelope,
        "{told:?} in an envelope: {wrapped:?}"
    );
}
