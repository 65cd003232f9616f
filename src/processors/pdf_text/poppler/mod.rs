//! The engine poppler: `pdfinfo` for the number of pages, `pdftotext` for their text.
//!
//! One run of `pdftotext` gives all pages, each with a form feed at its end. Text of a page has no
//! form feed: poppler takes it for a space. A page that poppler cannot find in a damaged document is
//! left out, and the pages after it move up: poppler does not say which one is missing. So there are
//! fewer ends of pages than `pdfinfo` counts, and the report says how many are missing.

mod info;
mod runner;

use self::runner::Runner;
use super::document::Document;
use super::failure::damaged;
use super::page_reader::copy_pages;
use super::page_writer::PageWriter;
use super::report::Found;
use crate::processors::limits::Limits;
use crate::processors::processor::Failure;

pub(super) use runner::{PDFINFO, PDFTOTEXT};

/// Extracts the text of all pages into `writer`, within the CPU time of all programs together.
///
/// # Errors
/// The document cannot be read, or a limit is reached.
pub(super) fn extract(
    document: &Document,
    cpu_seconds: u64,
    limits: &Limits,
    writer: &mut PageWriter<'_, '_>,
) -> Result<Found, Failure> {
    let runner = Runner::new(document.file(), limits, cpu_seconds);
    let info = info::read(&runner)?;
    if info.pages == 0 {
        return Err(damaged("it has no pages"));
    }
    let arguments = ["-enc", "UTF-8", "-eol", "unix", runner::DOCUMENT, "-"];
    let (finished, output) = runner.run(PDFTOTEXT, &arguments)?;
    if finished.code != 0 {
        return Err(damaged("its text cannot be read"));
    }
    let written = copy_pages(output, info.pages, writer)?;
    if written == 0 {
        return Err(damaged("none of its pages can be read"));
    }
    Ok(Found {
        engine: "poppler",
        pages: info.pages,
        missing_pages: info.pages.saturating_sub(written),
        errors: info.errors.saturating_add(finished.messages.errors),
        is_encrypted: info.is_encrypted,
        lacks_tables: finished.messages.lacks_tables,
    })
}
