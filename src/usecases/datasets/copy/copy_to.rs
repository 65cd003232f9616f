//! What a client asks for.

use serde::Serialize;

/// Where a copy goes, as it came; see the contract of `POST /datasets/{path}/action/copy`.
#[derive(Clone, Debug, Serialize)]
pub struct CopyTo {
    /// The target, with or without the leading slash.
    pub to: String,
    /// Whether an object that stands there may be replaced.
    pub overwrite: Option<bool>,
    /// Replace exactly this version.
    pub if_match: Option<String>,
    /// Whether the source is deleted once the copy is proven.
    pub moves: bool,
}
