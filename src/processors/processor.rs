//! What a processor is, and how it fails.

use serde_json::Value;

use super::inputs::Inputs;
use super::limits::Limits;
use super::outputs::Outputs;
use super::result_type::ResultType;

/// A processor.
#[derive(Clone, Copy, Debug)]
pub struct Processor {
    /// The name in rules and jobs, such as `csv-aggregate`.
    pub name: &'static str,
    /// Where its inputs come from.
    pub source: Source,
    /// The types of its results. The broker accepts no other type from the bounded process, which
    /// might have fallen under the control of its input.
    pub results: &'static [ResultType],
    /// Checks options before a job is queued. Returns every fault; empty if the options are valid.
    pub check_options: fn(&Value) -> Vec<OptionFault>,
    /// Reads the inputs, writes the outputs and returns the report, a JSON document of at most
    /// [`MAX_REPORT_BYTES`](super::report::MAX_REPORT_BYTES). It runs in the bounded process only.
    pub run: Run,
}

/// Where the inputs of a processor come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The dataset is the only input.
    Dataset,
    /// The dataset is a plan ([`crate::domain::processing_plan`]). The inputs are the results that the
    /// processor with this name has written for the datasets of the plan, and the options are those
    /// of the plan.
    ResultsOf(&'static str),
}

/// The function of a processor: options, inputs, outputs, limits.
pub type Run = fn(&Value, Inputs, &mut Outputs<'_>, &Limits) -> Result<Value, Failure>;

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
