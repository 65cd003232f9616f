//! The parameters of a copy.

use serde::Serialize;

/// The parameters of a copy, before validation; see `POST /datasets/{path}/action/copy`.
#[derive(Clone, Debug, Serialize)]
pub struct CopyTo {
    /// The target path, with or without the leading slash.
    pub to: String,
    /// Whether an object at the target may be replaced.
    pub overwrite: Option<bool>,
    /// The ETag of the only version that may be replaced.
    pub if_match: Option<String>,
    /// Whether the source is deleted once the copy is proven.
    pub moves: bool,
}
