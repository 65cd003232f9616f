//! A difference between what was declared and what the store holds.

use std::fmt;

use serde::Serialize;

/// One thing that is not as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// `size`, `checksum`, `content_type`, `etag` or `encryption`.
    pub field: &'static str,
    /// What was declared.
    pub expected: String,
    /// What the store says.
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
