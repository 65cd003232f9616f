//! What an aggregation read, dropped and wrote.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bad_sample::BadSample;
use super::failure::Failure;

/// How many bad rows are sampled into a report.
pub const MAX_SAMPLES: usize = 20;

/// The most characters of a bad row that a sample shows.
const EXCERPT_CHARS: usize = 120;

/// The account of a finished aggregation.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The inputs that were read.
    pub inputs: u64,
    /// The rows that were aggregated, without headers and bad rows.
    pub rows: u64,
    /// The groups that were written.
    pub groups: u64,
    /// The rows that were dropped.
    pub bad_rows: BadRows,
    /// The bytes of the inputs as they came.
    pub raw_bytes: u64,
    /// The bytes of the inputs after decompression.
    pub decoded_bytes: u64,
    /// The bytes that were written.
    pub output_bytes: u64,
    /// The formats that were found, sorted.
    pub formats: Vec<Format>,
    /// The sorted runs that were written to temporary files.
    pub spilled_runs: u64,
    /// Their bytes in total.
    pub spilled_bytes: u64,
}

/// A format, and how many inputs have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Format {
    /// `none`, `gzip` or `zstd`.
    pub compression: &'static str,
    /// `utf-8`, `utf-16le`, `utf-16be` or `latin-1`.
    pub encoding: &'static str,
    /// The character between two fields.
    pub delimiter: char,
    /// The number of inputs.
    pub inputs: u64,
}

/// The rows that were dropped.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BadRows {
    /// Their number.
    pub count: u64,
    /// Their bytes after decompression and conversion to UTF-8.
    pub bytes: u64,
    /// The first of them, at most 20.
    pub samples: Vec<BadSample>,
}

impl BadRows {
    /// Counts a bad row. Fails if there are then more than `max_rows` rows or `max_bytes` bytes.
    pub(super) fn add(
        &mut self,
        sample: impl FnOnce() -> BadSample,
        bytes: u64,
        (max_rows, max_bytes): (u64, u64),
    ) -> Result<(), Failure> {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.samples.len() < MAX_SAMPLES {
            self.samples.push(sample());
        }
        if self.count > max_rows || self.bytes > max_bytes {
            return Err(Failure::TooManyBadRows {
                rows: self.count,
                bytes: self.bytes,
                samples: self.samples.clone(),
            });
        }
        Ok(())
    }
}

/// The formats of the inputs while they are counted.
#[derive(Default)]
pub(super) struct Formats(BTreeMap<(&'static str, &'static str, char), u64>);

impl Formats {
    /// Counts an input.
    pub(super) fn add(&mut self, compression: &'static str, encoding: &'static str, delimiter: u8) {
        let format = (compression, encoding, char::from(delimiter));
        *self.0.entry(format).or_default() += 1;
    }

    /// The formats, sorted.
    pub(super) fn into_list(self) -> Vec<Format> {
        let list = self.0.into_iter();
        list.map(|((compression, encoding, delimiter), inputs)| Format {
            compression,
            encoding,
            delimiter,
            inputs,
        })
        .collect()
    }
}

/// The start of a text in which nothing can change how a terminal or a page shows the rest.
pub(super) fn excerpt(text: &[u8]) -> String {
    // A character has at most 4 bytes: the rest of a large record is not even decoded.
    let start = text.get(..EXCERPT_CHARS * 4).unwrap_or(text);
    let decoded = String::from_utf8_lossy(start);
    let mut shown: String = decoded.chars().take(EXCERPT_CHARS).map(visible).collect();
    if start.len() < text.len() || decoded.chars().nth(EXCERPT_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// The character, or a replacement if it controls the text around it.
fn visible(character: char) -> char {
    let controls = character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}');
    if controls { '\u{fffd}' } else { character }
}
