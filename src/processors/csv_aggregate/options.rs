//! The options of a job, as its owner writes them.
//!
//! [`Options::check`] finds every fault that can be seen without an input, and names the field of
//! each. Only a [`Checked`] can be aggregated.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::checked::{Checked, CheckedAggregate, OutputName};
use super::layout::Kind;
use super::row::MAX_COLUMNS;

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

impl Options {
    /// Checks what can be checked without an input.
    pub fn check(&self) -> Result<Checked, Vec<OptionFault>> {
        let mut faults = Faults::default();
        faults.count("group_by", self.group_by.len(), MAX_GROUP_COLUMNS);
        faults.count("aggregates", self.aggregates.len(), MAX_AGGREGATES);
        let mut seen = HashSet::new();
        for (index, column) in self.group_by.iter().enumerate() {
            let field = format!("group_by[{index}]");
            if !seen.insert(column) {
                faults.add(&field, "the column is in the list twice");
            }
            faults.column(&field, column, self.header);
        }
        let mut names = HashSet::new();
        let aggregates = self.aggregates.iter().enumerate();
        let aggregates = aggregates
            .map(|(index, aggregate)| {
                let field = format!("aggregates[{index}]");
                let checked = aggregate.check(&field, self.header, &mut faults);
                if !names.insert((checked.kind, &aggregate.column, &aggregate.name)) {
                    faults.add(&field, "the aggregate is in the list twice");
                }
                checked
            })
            .collect();
        let delimiter = self.check_delimiter(&mut faults);
        if !faults.0.is_empty() {
            return Err(faults.0);
        }
        Ok(Checked {
            group_by: self.group_by.clone(),
            aggregates,
            header: self.header,
            delimiter,
            encoding: self.encoding,
            compression: self.compression,
            max_bad: (self.max_bad_rows, self.max_bad_bytes),
        })
    }

    fn check_delimiter(&self, faults: &mut Faults) -> Option<u8> {
        match self.delimiter.as_bytes() {
            b"auto" => return None,
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => {
                return Some(*byte);
            }
            _ => {}
        }
        let detail = "must be `auto` or one ASCII character that is no quote, line end or NUL";
        faults.add("delimiter", detail);
        None
    }
}

impl Aggregate {
    fn check(&self, field: &str, header: bool, faults: &mut Faults) -> CheckedAggregate {
        match &self.column {
            Some(column) => faults.column(&format!("{field}.column"), column, header),
            None if self.function == Function::Count => {}
            None => faults.add(&format!("{field}.column"), "only count may leave it out"),
        }
        let extreme = matches!(self.function, Function::Min | Function::Max);
        if self.value_type.is_some() && !extreme {
            faults.add(&format!("{field}.type"), "only min and max have a type");
        }
        if let Some(name) = &self.name {
            faults.text(&format!("{field}.name"), name);
        }
        let text = self.value_type == Some(ValueType::Text);
        CheckedAggregate {
            kind: match (self.function, text) {
                (Function::Count, _) => Kind::Count,
                (Function::Sum, _) => Kind::Sum,
                (Function::Min, false) => Kind::Min,
                (Function::Max, false) => Kind::Max,
                (Function::Min, true) => Kind::MinText,
                (Function::Max, true) => Kind::MaxText,
            },
            column: self.column.clone(),
            name: match &self.name {
                Some(name) => OutputName::Given(name.clone()),
                None => OutputName::OfFunction,
            },
        }
    }
}

/// The faults that were found so far.
#[derive(Default)]
struct Faults(Vec<OptionFault>);

impl Faults {
    fn add(&mut self, field: &str, detail: impl Into<String>) {
        let (field, detail) = (field.to_owned(), detail.into());
        self.0.push(OptionFault { field, detail });
    }

    fn count(&mut self, field: &str, count: usize, max: usize) {
        if count == 0 || count > max {
            self.add(field, format!("must have 1 to {max} entries, not {count}"));
        }
    }

    fn column(&mut self, field: &str, column: &Column, header: bool) {
        match column {
            Column::Position(1..=MAX_COLUMNS) => {}
            Column::Position(_) => self.add(field, format!("must be 1 to {MAX_COLUMNS}")),
            Column::Name(_) if !header => {
                self.add(field, "without a header a column has only a position");
            }
            Column::Name(name) => self.text(field, name),
        }
    }

    fn text(&mut self, field: &str, text: &str) {
        if text.is_empty() || text.len() > 1024 {
            self.add(field, "must have 1 to 1024 bytes");
        }
    }
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
