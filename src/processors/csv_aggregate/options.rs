//! The options of a job, as its owner writes them.
//!
//! [`Options::check`] finds every fault that can be seen without an input, and names the field of
//! each. Only a [`Checked`](super::Checked) can be aggregated.

use serde::{Deserialize, Serialize};

/// The most group columns.
pub const MAX_GROUP_COLUMNS: usize = 16;
/// The most aggregates.
pub const MAX_AGGREGATES: usize = 32;

/// What to aggregate, and how the inputs are written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The group columns, in the order of the output.
    pub group_by: Vec<Column>,
    /// The aggregates, in the order of the output.
    pub aggregates: Vec<Aggregate>,
    /// Whether the first record of each input names the columns.
    #[serde(default = "default_header")]
    pub header: bool,
    /// `auto`, or the one ASCII character between two fields.
    #[serde(default = "default_delimiter")]
    pub delimiter: String,
    /// The encoding of the inputs.
    #[serde(default)]
    pub encoding: Encoding,
    /// The compression of the inputs.
    #[serde(default)]
    pub compression: Compression,
    /// The job fails if more rows are bad.
    #[serde(default = "default_bad_rows")]
    pub max_bad_rows: u64,
    /// The job fails if the bad rows have more bytes together.
    #[serde(default = "default_bad_bytes")]
    pub max_bad_bytes: u64,
}

/// A column of the inputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Column {
    /// The position, from 1.
    Position(usize),
    /// The name in the header.
    Name(String),
}

/// A column of the output that is computed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// What is computed.
    pub function: Function,
    /// The column that it is computed from. Only `count` may leave it out: it then counts rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<Column>,
    /// The name in the header of the output. The default is like `sum(Number of Plays)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What `min` and `max` compare. The default is numbers.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub value_type: Option<ValueType>,
}

/// A function over the cells of a group. Blank cells are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Function {
    /// The sum of numbers; 0 if there are none.
    Sum,
    /// The number of rows, or of cells that are not blank.
    Count,
    /// The least value; empty if there is none.
    Min,
    /// The greatest value; empty if there is none.
    Max,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueType {
    /// As exact decimal numbers.
    Number,
    /// As text, byte by byte. ISO dates are ordered like this.
    Text,
}

/// How the bytes of an input stand for text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// By the byte-order mark; without one, UTF-8 if the first 64 KiB are, else Latin-1.
    #[default]
    Auto,
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, little-endian unless its byte-order mark or its text says otherwise.
    #[serde(rename = "utf-16")]
    Utf16,
    /// Latin-1 as it is found in practice, which is Windows-1252.
    #[serde(rename = "latin-1")]
    Latin1,
}

/// How an input is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// By the first bytes.
    #[default]
    Auto,
    /// Not compressed.
    None,
    /// gzip, with one or more members.
    Gzip,
    /// Zstandard, with one or more frames.
    Zstd,
}

/// A fault of the options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OptionFault {
    /// The path of the field, such as `aggregates[0].column`.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

fn default_header() -> bool {
    true
}

fn default_delimiter() -> String {
    "auto".to_owned()
}

/// A few bad rows are common in files that people edit. More are a fault of the whole file.
fn default_bad_rows() -> u64 {
    100
}

/// Rows of 10 KiB each, at the default number of rows.
fn default_bad_bytes() -> u64 {
    1 << 20
}

#[cfg(test)]
mod tests;
