//! Writes pages: their text to the dataset, and a record of each to the database.

use std::io::{self, Write as _};

use super::report::{Found, Report};
use crate::domain::document::{MAX_DOCUMENT_BYTES, MAX_PAGE_BYTES, PageText, normalize};
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
    /// The bytes of text that the records may still have.
    room: usize,
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
            room: MAX_DOCUMENT_BYTES,
            text_pages: 0,
            cut_pages: 0,
        }
    }

    /// Adds text to the page that is being written.
    pub(super) fn add_text(&mut self, text: &str) -> io::Result<()> {
        self.outputs.write_all(text.as_bytes())?;
        let room = MAX_PAGE_BYTES.saturating_sub(self.text.len());
        let end = text.floor_char_boundary(room);
        self.is_cut |= end < text.len();
        self.text.push_str(text.get(..end).unwrap_or_default());
        Ok(())
    }

    /// Ends the page that was being written.
    pub(super) fn end_page(&mut self) -> io::Result<()> {
        let (mut text, is_cut) = normalize(&self.text, MAX_PAGE_BYTES);
        self.text_pages += u32::from(!text.trim().is_empty());
        let end = text.floor_char_boundary(self.room);
        self.cut_pages += u32::from(is_cut || self.is_cut || end < text.len());
        text.truncate(end);
        self.room -= end;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processors::limits::Limits;

    #[test]
    fn text_beyond_the_limit_of_a_document_is_cut_from_the_records_alone() {
        let limits = Limits {
            memory_bytes: 1 << 20,
            output_bytes: 1 << 20,
            spill_bytes: 1 << 20,
            scratch: std::env::temp_dir(),
        };
        let mut bytes = Vec::new();
        let mut outputs = Outputs::new(&mut bytes, &limits);
        outputs.start(&TEXT, None).unwrap();
        let mut writer = PageWriter::new(&mut outputs);
        writer.room = 10;
        for text in ["first", "second", "third"] {
            writer.add_text(text).unwrap();
            writer.end_page().unwrap();
        }
        let report = writer.finish(Found::default()).unwrap();
        assert_eq!((report.text_pages, report.cut_pages), (3, 2));
        outputs.finish().unwrap();
        drop(outputs);
        let expected = concat!(
            "first\x0csecond\x0cthird\x0c",
            "{\"page\":1,\"text\":\"first\"}\n",
            "{\"page\":2,\"text\":\"secon\"}\n",
            "{\"page\":3,\"text\":\"\"}\n",
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
