//! Writes pages: their text to the dataset, and a record of each to the database.

use std::io::{self, Write as _};

use super::report::{Found, Report};
use crate::domain::document::{MAX_PAGE_BYTES, PageText, normalize};
use crate::processors::outputs::Outputs;
use crate::processors::result_type::ResultType;

/// The text of all pages, each followed by a form feed.
pub(super) const TEXT: ResultType = ResultType {
    kind: "text",
    extension: "txt",
    content_type: "text/plain; charset=utf-8",
};

/// What follows the text of each page in the dataset. There are as many as pages, also if some are
/// missing.
const END_OF_PAGE: &[u8] = b"\x0c";

/// Takes pages in their order.
pub(super) struct PageWriter<'a, 'outputs> {
    outputs: &'a mut Outputs<'outputs>,
    /// The number of the last page.
    page: u32,
    /// The start of the text of the page that is being written.
    text: String,
    /// Whether that is not the whole text.
    is_cut: bool,
    text_pages: u32,
    cut_pages: u32,
}

impl<'a, 'outputs> PageWriter<'a, 'outputs> {
    /// Writes to `outputs`, whose only result was started.
    pub(super) fn new(outputs: &'a mut Outputs<'outputs>) -> Self {
        Self {
            outputs,
            page: 0,
            text: String::new(),
            is_cut: false,
            text_pages: 0,
            cut_pages: 0,
        }
    }

    /// Adds text to the page that is being written.
    pub(super) fn add_text(&mut self, text: &str) -> io::Result<()> {
        self.outputs.write_all(text.as_bytes())?;
        let room = MAX_PAGE_BYTES.saturating_sub(self.text.len());
        let end = floor_char_boundary(text, room);
        self.is_cut |= end < text.len();
        self.text.push_str(text.get(..end).unwrap_or_default());
        Ok(())
    }

    /// Ends the page that was being written.
    pub(super) fn end_page(&mut self) -> io::Result<()> {
        let (text, is_cut) = normalize(&self.text, MAX_PAGE_BYTES);
        self.cut_pages += u32::from(is_cut || self.is_cut);
        self.text_pages += u32::from(!text.trim().is_empty());
        self.page += 1;
        self.text.clear();
        self.is_cut = false;
        self.outputs.write_all(END_OF_PAGE)?;
        let page = self.page;
        self.outputs.add_record(&PageText { page, text })
    }

    /// Adds an end of a page for each one that was not written, and returns the report.
    pub(super) fn finish(self, found: Found) -> io::Result<Report> {
        for _ in self.page..found.pages {
            self.outputs.write_all(END_OF_PAGE)?;
        }
        Ok(Report {
            engine: found.engine,
            pages: found.pages,
            text_pages: self.text_pages,
            missing_pages: found.missing_pages,
            cut_pages: self.cut_pages,
            errors: found.errors,
            scanned: self.text_pages == 0 && !found.lacks_tables,
            partial: found.missing_pages > 0,
            encrypted: found.is_encrypted,
            character_tables_missing: found.lacks_tables,
        })
    }
}

/// The largest index of at most `most` bytes that is between two characters.
fn floor_char_boundary(text: &str, most: usize) -> usize {
    let mut index = most.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}
