//! A row that was left out, as the report and failures show it.

use std::fmt;

use serde::Serialize;

/// A row that was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadSample {
    /// The number of the input, from 1.
    pub input: u64,
    /// The line on which the row starts, from 1.
    pub line: u64,
    /// Why it was dropped.
    pub reason: String,
    /// The start of the row, without control characters.
    pub excerpt: String,
}

impl fmt::Display for BadSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            input,
            line,
            reason,
            excerpt,
        } = self;
        write!(f, "input {input}, line {line}: {reason}: {excerpt}")
    }
}
