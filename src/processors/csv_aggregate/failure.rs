//! What ends an aggregation without an output.

use std::io;

use super::bad_sample::BadSample;

/// Why an aggregation failed. The text is for the operator of the job.
///
/// Part of the output may have been written by then: it must be thrown away.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A column of the options is not in the header of an input.
    #[error("input {input} has no column {column}: it has {}", exist.join(", "))]
    ColumnMissing {
        /// The number of the input, from 1.
        input: u64,
        /// The name in quotes, or the position.
        column: String,
        /// The first columns of the header.
        exist: Vec<String>,
    },
    /// A column of the options is in the header more than once.
    #[error("input {input} has more than one column {column}: name it by its position")]
    ColumnAmbiguous {
        /// The number of the input, from 1.
        input: u64,
        /// The name in quotes.
        column: String,
    },
    /// An input that must have a header has no record at all.
    #[error("input {input} is empty: it has no header")]
    EmptyInput {
        /// The number of the input, from 1.
        input: u64,
    },
    /// A number of the result needs more than 128 bits at the scale of its column.
    #[error("{aggregate} overflows 38 digits in the group {group}")]
    Overflow {
        /// The name of the output column.
        aggregate: String,
        /// The values of the group columns.
        group: String,
    },
    /// More rows, or more bytes of rows, are bad than the options allow.
    #[error(
        "{rows} bad rows of {bytes} bytes are more than the job allows; first: {}",
        list(samples)
    )]
    TooManyBadRows {
        /// The bad rows so far.
        rows: u64,
        /// Their bytes.
        bytes: u64,
        /// The first of them.
        samples: Vec<BadSample>,
    },
    /// A record with a quoted field is longer than 1 MiB, which is nearly always an unclosed quote.
    #[error(
        "the record at line {line} of input {input} has a quoted field and is longer than {} bytes: \
         a quote is probably not closed",
        super::records::RECORD_CAP
    )]
    OversizedQuotedRecord {
        /// The number of the input, from 1.
        input: u64,
        /// The line on which the record starts, from 1.
        line: u64,
    },
    /// A compressed input ends in its middle.
    #[error("input {input} is truncated: its {compression} data ends too early")]
    Truncated {
        /// The number of the input, from 1.
        input: u64,
        /// `gzip` or `zstd`.
        compression: &'static str,
    },
    /// A compressed input cannot be decompressed.
    #[error("input {input} is not valid {compression} data: {detail}")]
    Corrupt {
        /// The number of the input, from 1.
        input: u64,
        /// `gzip` or `zstd`.
        compression: &'static str,
        /// What the decoder said.
        detail: String,
    },
    /// The inputs are larger than allowed after decompression.
    #[error("the inputs hold more than {limit} bytes after decompression")]
    TooManyDecodedBytes {
        /// The bound, in bytes.
        limit: u64,
    },
    /// The groups need more temporary space than allowed.
    #[error("the groups need more than {limit} bytes of temporary files")]
    SpillFull {
        /// The bound, in bytes.
        limit: u64,
    },
    /// One row needs more memory than allowed.
    #[error("a row does not fit into {limit} bytes of memory")]
    MemoryFull {
        /// The bound, in bytes.
        limit: usize,
    },
    /// An input could not be opened or read.
    #[error("input {input} could not be read: {source}")]
    Read {
        /// The number of the input, from 1.
        input: u64,
        /// The cause.
        source: io::Error,
    },
    /// A temporary file could not be created, written or read.
    #[error("a temporary file failed: {0}")]
    Spill(io::Error),
    /// The output could not be written.
    #[error("the output could not be written: {0}")]
    Write(io::Error),
}

impl Failure {
    /// A short name that does not change, for metrics and for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ColumnMissing { .. } => "column_missing",
            Self::ColumnAmbiguous { .. } => "column_ambiguous",
            Self::EmptyInput { .. } => "empty_input",
            Self::Overflow { .. } => "overflow",
            Self::TooManyBadRows { .. } => "too_many_bad_rows",
            Self::OversizedQuotedRecord { .. } => "oversized_quoted_record",
            Self::Truncated { .. } => "truncated",
            Self::Corrupt { .. } => "corrupt",
            Self::TooManyDecodedBytes { .. } => "too_many_decoded_bytes",
            Self::SpillFull { .. } => "spill_full",
            Self::MemoryFull { .. } => "memory_full",
            Self::Read { .. } => "read_failed",
            Self::Spill(_) => "spill_failed",
            Self::Write(_) => "write_failed",
        }
    }

    /// Whether the same inputs, options and limits always fail like this: a retry is useless.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Read { .. } | Self::Spill(_) | Self::Write(_))
    }
}

/// The first three samples on one line.
fn list(samples: &[BadSample]) -> String {
    let first = samples.iter().take(3).map(BadSample::to_string);
    first.collect::<Vec<_>>().join("; ")
}
