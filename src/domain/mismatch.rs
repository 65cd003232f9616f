//! A difference between a declared value and the object in the store.

use std::fmt;

use serde::Serialize;

/// One property of an object that is not as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// `size`, `checksum`, `content_type`, `etag`, `encryption` or `parts`.
    pub field: &'static str,
    /// The declared value.
    pub expected: String,
    /// The value that the store reports.
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            expected,
            found,
        } = self;
        write!(f, "{field}: expected {expected}, found {found}")
    }
}
