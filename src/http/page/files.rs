//! The files of the page, which `web/page/embed.rs` writes into the binary.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header::ContentEncoding;

use crate::http::static_document::StaticDocument;

/// A file of the built page.
struct EmbeddedFile {
    /// The path below `/`, such as `assets/index-Bx3k.js`.
    path: &'static str,
    identity: &'static [u8],
    gzip: &'static [u8],
    brotli: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The start of the paths of files whose names contain a hash of their content.
const HASHED: &str = "assets/";

static DOCUMENTS: LazyLock<HashMap<&'static str, StaticDocument>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|file| (file.path, document(file)))
        .collect()
});

/// Returns a file of the page by its path below `/`; `None` if there is none.
pub(super) fn find(path: &str) -> Option<&'static StaticDocument> {
    DOCUMENTS.get(path)
}

fn document(file: &EmbeddedFile) -> StaticDocument {
    let document = StaticDocument::new(content_type(file.path), file.identity)
        .coded(ContentEncoding::Gzip, file.gzip)
        .coded(ContentEncoding::Brotli, file.brotli);
    match file.path.starts_with(HASHED) {
        true => document.immutable(),
        false => document,
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}
