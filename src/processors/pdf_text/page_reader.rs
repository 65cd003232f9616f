//! Reads the output of an engine, in which each page ends with a form feed.

use std::io::{self, BufRead as _, BufReader, Read};

use encoding_rs::{CoderResult, Decoder, UTF_8};

use super::failure::broken;
use super::page_writer::PageWriter;
use crate::processors::processor::Failure;

const BUFFER_BYTES: usize = 64 * 1024;
/// The end of a page.
const FORM_FEED: u8 = 0x0c;

/// Copies the pages of `output` to `writer`, at most `pages`, and returns how many there were.
pub(super) fn copy_pages(
    output: impl Read,
    pages: u32,
    writer: &mut PageWriter<'_, '_>,
) -> Result<u32, Failure> {
    let mut reader = PageReader::new(output);
    let mut written = 0;
    while written < pages && reader.copy_page(writer).map_err(broken)? {
        written += 1;
    }
    Ok(written)
}

/// The output of an engine.
struct PageReader<R> {
    source: BufReader<R>,
    /// What is decoded at a time.
    decoded: String,
}

impl<R: Read> PageReader<R> {
    fn new(output: R) -> Self {
        Self {
            source: BufReader::with_capacity(BUFFER_BYTES, output),
            decoded: String::with_capacity(BUFFER_BYTES),
        }
    }

    /// Copies the next page to `writer`, and ends it. Returns whether there was one: what follows
    /// the last form feed is no page.
    ///
    /// Bytes that are not valid UTF-8 become replacement characters.
    fn copy_page(&mut self, writer: &mut PageWriter<'_, '_>) -> io::Result<bool> {
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
