//! What `pdf-text` reports about a document.

use serde::Serialize;

/// What an engine has found, beside the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The name of the engine.
    pub(super) engine: &'static str,
    /// The number of pages that the document has by its own account.
    pub(super) pages: u32,
    /// The number of these that cannot be read.
    pub(super) missing_pages: u32,
    /// The number of errors in the document that were passed over.
    pub(super) errors: u64,
    /// Whether the document is encrypted. It opened without a password.
    pub(super) is_encrypted: bool,
    /// Whether text is missing because the tables for its character set are not installed.
    pub(super) lacks_tables: bool,
}

/// The report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Report {
    /// The engine.
    pub(super) engine: &'static str,
    /// The number of pages.
    pub(super) pages: u32,
    /// The number of pages with text.
    pub(super) text_pages: u32,
    /// The number of pages that cannot be read.
    pub(super) missing_pages: u32,
    /// The number of pages whose text is too long to be stored and searched as a whole.
    pub(super) cut_pages: u32,
    /// The number of errors in the document that were passed over.
    pub(super) errors: u64,
    /// No page has text: the document probably has scanned images only.
    pub(super) scanned: bool,
    /// Pages are missing. Those after a missing one have smaller numbers than in the document.
    pub(super) partial: bool,
    /// The document is encrypted, and opened without a password.
    pub(super) encrypted: bool,
    /// Text is missing because the worker lacks the tables for its character set (`poppler-data`).
    pub(super) character_tables_missing: bool,
}
