//! Finding the compression, the encoding and the delimiter of an input from its first bytes.

use std::io::Cursor;

use super::options::{Compression, Encoding};
use super::records::{Records, Step};

/// How much text is looked at.
pub(super) const SAMPLE: usize = 64 << 10;

/// How many records are compared to find the delimiter.
const RECORDS: usize = 20;

/// The delimiters that are detected. An earlier one wins if both fit.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// An encoding that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Utf8,
    Utf16Le,
    Utf16Be,
    Latin1,
}

impl Text {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Latin1 => "latin-1",
        }
    }
}

/// The compression, by the magic number. Neither is the start of UTF-8 text.
pub(super) fn compression(option: Compression, start: &[u8]) -> Compression {
    match (option, start) {
        (Compression::Auto, [0x1f, 0x8b, ..]) => Compression::Gzip,
        (Compression::Auto, [0x28, 0xb5, 0x2f, 0xfd, ..]) => Compression::Zstd,
        (Compression::Auto, _) => Compression::None,
        (compression, _) => compression,
    }
}

/// The encoding of a text that starts with `sample`.
pub(super) fn encoding(option: Encoding, sample: &[u8]) -> Text {
    match (option, sample) {
        (Encoding::Utf8, _) => Text::Utf8,
        (Encoding::Latin1, _) => Text::Latin1,
        (Encoding::Auto, [0xef, 0xbb, 0xbf, ..]) => Text::Utf8,
        (_, [0xff, 0xfe, ..]) => Text::Utf16Le,
        (_, [0xfe, 0xff, ..]) => Text::Utf16Be,
        (Encoding::Utf16, _) => utf16(sample).unwrap_or(Text::Utf16Le),
        (Encoding::Auto, _) => utf16(sample).unwrap_or_else(|| utf8_or_latin1(sample)),
    }
}

/// UTF-16 without a byte-order mark: at least half of the upper bytes are 0, and few lower ones are.
fn utf16(sample: &[u8]) -> Option<Text> {
    let (pairs, _) = sample.get(..4096).unwrap_or(sample).as_chunks::<2>();
    let first = pairs.iter().filter(|[first, _]| *first == 0).count();
    let second = pairs.iter().filter(|[_, second]| *second == 0).count();
    let (many, few) = (pairs.len().div_ceil(2).max(1), pairs.len() / 16);
    if second >= many && first <= few {
        Some(Text::Utf16Le)
    } else if first >= many && second <= few {
        Some(Text::Utf16Be)
    } else {
        None
    }
}

/// Latin-1, if more bytes are not UTF-8 than characters beyond ASCII are. A UTF-8 text with a few
/// damaged rows is still UTF-8.
fn utf8_or_latin1(sample: &[u8]) -> Text {
    let (mut characters, mut faults) = (0, 0);
    for chunk in sample.utf8_chunks() {
        characters += chunk
            .valid()
            .chars()
            .filter(|character| !character.is_ascii())
            .count();
        faults += usize::from(!chunk.invalid().is_empty());
    }
    // The sample may end inside of a character.
    if sample.len() >= SAMPLE {
        faults = faults.saturating_sub(1);
    }
    if faults > characters {
        Text::Latin1
    } else {
        Text::Utf8
    }
}

/// The delimiter with which the first records have all `names`, else the most of them have the same
/// number of fields, else there are the most fields. The comma, if nothing else fits.
pub(super) fn delimiter(sample: &[u8], names: &[&str]) -> u8 {
    let mut best = (b',', (false, 0, 0));
    for candidate in DELIMITERS {
        let score = score(sample, candidate, names);
        if score > best.1 {
            best = (candidate, score);
        }
    }
    best.0
}

fn score(sample: &[u8], delimiter: u8, names: &[&str]) -> (bool, usize, usize) {
    let mut records = Records::new(Cursor::new(sample), delimiter);
    let (mut named, mut fields, mut same) = (false, 0, 0);
    for index in 0..RECORDS {
        if !matches!(records.advance(), Ok(Step::Row)) {
            break;
        }
        let row = records.row();
        if index == 0 {
            fields = row.len();
            let has = |name: &&str| {
                (0..fields).any(|at| row.field(at).trim_ascii() == name.as_bytes().trim_ascii())
            };
            named = !names.is_empty() && names.iter().all(has);
        }
        same += usize::from(row.len() == fields && fields > 1);
    }
    (named, same, fields)
}
