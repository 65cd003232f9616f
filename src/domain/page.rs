//! Pages of a list, and the opaque cursors that lead from one to the next.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::feed::FeedCursor;

/// The allowed number of entries in a page.
pub const LIMITS: std::ops::RangeInclusive<u16> = 1..=1000;
/// The number of entries in a page if the caller does not set a limit.
pub const DEFAULT_LIMIT: u16 = 100;

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<Cursor>,
}

/// The position at which a page ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cursor {
    /// The last id of a page of uploads, newest first.
    #[serde(rename = "u")]
    Upload(Uuid),
    /// The last id of a page of jobs, newest first.
    #[serde(rename = "j")]
    Job(Uuid),
    /// The last id of a page of audit rows, newest first.
    #[serde(rename = "a")]
    Audit(Uuid),
    /// A place in the feed of events, oldest first.
    #[serde(rename = "f")]
    Feed(FeedCursor),
    /// A place in the history of an upload, oldest first.
    #[serde(rename = "h")]
    History {
        /// The upload.
        #[serde(rename = "u")]
        upload: Uuid,
        /// The sequence number of the event; 0 before the first one.
        #[serde(rename = "s")]
        sequence: i32,
    },
    /// The last page of a part of a document.
    #[serde(rename = "t")]
    DocumentPage {
        /// The document, so that all parts are of the same one.
        #[serde(rename = "d")]
        document: Uuid,
        /// The number of the page.
        #[serde(rename = "p")]
        page: u32,
    },
    /// The position in a listing of the store, and the parameters that it belongs to.
    #[serde(rename = "d")]
    Listing {
        /// The continuation token of S3.
        #[serde(rename = "t")]
        token: String,
        /// The prefix, as the client sent it.
        #[serde(rename = "p")]
        prefix: String,
        /// Whether keys were grouped by folder.
        #[serde(rename = "f")]
        folders: bool,
    },
}

impl Cursor {
    /// Encodes the cursor for a URL.
    pub fn encode(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(json)
    }

    /// Decodes a cursor; `None` if the text was not made by [`encode`](Self::encode).
    pub fn decode(text: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_round_trips_and_invalid_text_is_rejected() {
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
