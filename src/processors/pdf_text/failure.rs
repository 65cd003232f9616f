//! Why a document has no text.

use std::io;

use crate::domain::document::MAX_PAGES;
use crate::processors::processor::Failure;

/// The failure of a temporary file or a stream.
pub(super) fn broken(error: io::Error) -> Failure {
    Failure::temporary("scratch", error.to_string())
}

/// The failure of a program whose output lacks what it always has.
pub(super) fn incomplete() -> Failure {
    let message = "the number of pages is missing in the output of pdfinfo";
    Failure::temporary("program", message)
}

/// The failure of a document that cannot be read.
pub(super) fn damaged(reason: &str) -> Failure {
    Failure::permanent("pdf-damaged", format!("the PDF is damaged: {reason}"))
}

/// The failure of a file that is no PDF.
pub(super) fn not_recognized(reason: &str) -> Failure {
    Failure::permanent("pdf-not-recognized", reason)
}

/// The failure of a document that needs a password.
pub(super) fn encrypted() -> Failure {
    let message = "the PDF can only be opened with a password";
    Failure::permanent("pdf-encrypted", message)
}

/// The failure of a document with `pages` pages.
pub(super) fn too_many_pages(pages: u64) -> Failure {
    let message = format!("the PDF has {pages} pages, and more than {MAX_PAGES} are not supported");
    Failure::permanent("pdf-too-many-pages", message)
}
