//! What a processor is, what it may use, and how it fails.

use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;

use super::inputs::Inputs;

/// A processor.
#[derive(Clone, Copy, Debug)]
pub struct Processor {
    /// The name in rules and jobs, such as `csv-aggregate`.
    pub name: &'static str,
    /// What the result is, such as `aggregate`.
    pub result_kind: &'static str,
    /// The extension of the file name of the result, without a dot.
    pub extension: &'static str,
    /// The media type of the result.
    pub content_type: &'static str,
    /// Checks options before a job is queued. Returns every fault; empty if the options are valid.
    pub check_options: fn(&Value) -> Vec<OptionFault>,
    /// Reads the inputs, writes the result and returns the report, a JSON document of at most
    /// [`MAX_REPORT_BYTES`](super::report::MAX_REPORT_BYTES). It runs in the bounded process only.
    pub run: Run,
}

/// The function of a processor: options, inputs, result, limits.
pub type Run = fn(&Value, Inputs, &mut dyn Write, &Limits) -> Result<Value, Failure>;

/// A fault in the options of a processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionFault {
    /// The path of the field, such as `aggregates[0].column`. Empty for the options as a whole.
    pub field: String,
    /// What is wrong, and what is expected.
    pub detail: String,
}

impl OptionFault {
    /// A fault of `field`, described by `detail`.
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            detail: detail.into(),
        }
    }
}

/// What a processor may use. A processor plans with these values, so that it can say what is too
/// large; the operating system enforces them with [`self_limits`](super::self_limits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The memory for data, in bytes. The program itself does not count.
    pub memory_bytes: u64,
    /// The largest result in bytes.
    pub output_bytes: u64,
    /// The most bytes in temporary files at a time.
    pub spill_bytes: u64,
    /// The folder for temporary files. They must be unlinked right after they are opened
    /// ([`tempfile::tempfile_in`]), so that none remains however the process ends.
    pub scratch: PathBuf,
}

/// Why a processor has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A code in kebab case, such as `memory-limit`.
    pub code: String,
    /// An explanation for the owner of the dataset.
    pub message: String,
    /// Whether the same input would fail again. If not, a retry may succeed.
    pub is_permanent: bool,
}

impl Failure {
    /// A failure that the same input would cause again.
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            is_permanent: true,
        }
    }

    /// A failure that has nothing to do with the input.
    pub fn temporary(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            is_permanent: false,
            ..Self::permanent(code, message)
        }
    }
}
