//! What `pdfinfo` reports about a document.

use std::io::{Read as _, Seek as _, SeekFrom};

use super::super::failure::{broken, damaged, encrypted, incomplete, too_many_pages};
use super::runner::{DOCUMENT, PDFINFO, Runner};
use crate::domain::document::MAX_PAGES;
use crate::processors::processor::Failure;

/// How much of the end of the output is read, in bytes. The lines that are needed follow those that
/// quote the document, such as its title.
const END_BYTES: u64 = 4_096;

/// What is known of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) pages: u32,
    pub(super) is_encrypted: bool,
    pub(super) errors: u64,
}

/// Reads the number of pages.
///
/// # Errors
/// The document cannot be opened, has too many pages, or the output is incomplete.
pub(super) fn read(runner: &Runner<'_>) -> Result<Info, Failure> {
    let (finished, mut output) = runner.run(PDFINFO, &[DOCUMENT])?;
    if finished.messages.needs_password {
        return Err(encrypted());
    }
    if finished.code != 0 {
        return Err(damaged("it cannot be opened"));
    }
    let size = output.metadata().map_err(broken)?.len();
    let start = SeekFrom::Start(size.saturating_sub(END_BYTES));
    output.seek(start).map_err(broken)?;
    let mut end = Vec::new();
    output.read_to_end(&mut end).map_err(broken)?;
    let end = String::from_utf8_lossy(&end);
    // A program that has ended without an error has written this line, however small the number.
    let pages = value(&end, "Pages:").ok_or_else(incomplete)?;
    let pages: u64 = pages.parse().unwrap_or(0);
    let is_encrypted = value(&end, "Encrypted:").is_some_and(|value| value.starts_with("yes"));
    let pages = u32::try_from(pages)
        .ok()
        .filter(|pages| *pages <= MAX_PAGES)
        .ok_or_else(|| too_many_pages(pages))?;
    Ok(Info {
        pages,
        is_encrypted,
        errors: finished.messages.errors,
    })
}

/// The value of the last line with this name: a title may have line ends, and lines that are like
/// this one.
fn value<'a>(output: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = output.lines().rev();
    lines
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_line_counts() {
        let output = "Title:  a\nPages: 7\nPages:           12\nEncrypted:       no\n";
        assert_eq!(value(output, "Pages:"), Some("12"));
        assert_eq!(value(output, "Encrypted:"), Some("no"));
        assert_eq!(value(output, "Size:"), None);
    }
}
