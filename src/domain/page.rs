//! Pages of a list and the opaque cursors between them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The smallest and the largest page, and the one without a wish.
pub const LIMITS: std::ops::RangeInclusive<u16> = 1..=1000;
/// Entries in a page where the caller does not say.
pub const DEFAULT_LIMIT: u16 = 100;

/// Entries, and where to go on.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The cursor of the next page; nothing on the last.
    pub next: Option<Cursor>,
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cursor {
    /// Uploads, newest first: the last id seen.
    #[serde(rename = "u")]
    Upload(Uuid),
    /// Rows of the audit, newest first: the last id seen.
    #[serde(rename = "a")]
    Audit(Uuid),
    /// A listing: the store's continuation token, and the prefix and delimiter that it is for.
    #[serde(rename = "d")]
    Listing {
        /// S3's continuation token.
        #[serde(rename = "t")]
        token: String,
        /// The prefix as the client gave it.
        #[serde(rename = "p")]
        prefix: String,
        /// Whether folders were rolled up.
        #[serde(rename = "f")]
        folders: bool,
    },
}

impl Cursor {
    /// The form that travels in a URL.
    pub fn encode(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(json)
    }

    /// Nothing where the text is no cursor of ours.
    pub fn decode(text: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_trip() {
        let cursor = Cursor::Listing {
            token: "a/b+c=é".into(),
            prefix: "/x".into(),
            folders: true,
        };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        for bad in ["", "!", "AAAA", "eyJ1IjoxfQ"] {
            assert_eq!(Cursor::decode(bad), None, "{bad}");
        }
    }
}
