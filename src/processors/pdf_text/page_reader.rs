//! Reads the output of the engine, in which each page ends with a form feed.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _};

use encoding_rs::{CoderResult, Decoder, UTF_8};

use super::page_writer::PageWriter;

const BUFFER_BYTES: usize = 64 * 1024;
/// The end of a page.
const FORM_FEED: u8 = 0x0c;

/// The output of the engine.
pub(super) struct PageReader {
    source: BufReader<File>,
    /// What is decoded at a time.
    decoded: String,
}

impl PageReader {
    /// Reads a file from its start.
    pub(super) fn new(mut file: File) -> io::Result<Self> {
        file.rewind()?;
        Ok(Self {
            source: BufReader::with_capacity(BUFFER_BYTES, file),
            decoded: String::with_capacity(BUFFER_BYTES),
        })
    }

    /// Copies the next page to `writer`, and ends it. Returns whether there was one: what follows
    /// the last form feed is no page.
    ///
    /// Bytes that are not valid UTF-8 become replacement characters.
    pub(super) fn copy_page(&mut self, writer: &mut PageWriter<'_, '_>) -> io::Result<bool> {
        let mut decoder = UTF_8.new_decoder_without_bom_handling();
        loop {
            let bytes = self.source.fill_buf()?;
            if bytes.is_empty() {
                return Ok(false);
            }
            let end = bytes.iter().position(|byte| *byte == FORM_FEED);
            let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            decode(&mut decoder, text, end.is_some(), &mut self.decoded, writer)?;
            let read = text.len() + usize::from(end.is_some());
            self.source.consume(read);
            if end.is_some() {
                writer.end_page()?;
                return Ok(true);
            }
        }
    }
}

fn decode(
    decoder: &mut Decoder,
    mut bytes: &[u8],
    is_last: bool,
    decoded: &mut String,
    writer: &mut PageWriter<'_, '_>,
) -> io::Result<()> {
    loop {
        decoded.clear();
        let (result, read, _) = decoder.decode_to_string(bytes, decoded, is_last);
        writer.add_text(decoded)?;
        bytes = bytes.get(read..).unwrap_or_default();
        if result == CoderResult::InputEmpty {
            return Ok(());
        }
    }
}
