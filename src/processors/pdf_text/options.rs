//! The options of `pdf-text`.

use serde::Deserialize;
use serde_json::Value;

use crate::processors::parse_options;
use crate::processors::processor::OptionFault;

/// The CPU time that a document may take if the options do not say, in seconds. A page takes about
/// a millisecond.
const DEFAULT_CPU_SECONDS: u64 = 30;
/// The longest CPU time in seconds.
const MAX_CPU_SECONDS: u64 = 3_600;

/// The options.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    /// The CPU time in seconds.
    #[serde(default = "default_cpu_seconds")]
    pub(super) max_cpu_seconds: u64,
}

fn default_cpu_seconds() -> u64 {
    DEFAULT_CPU_SECONDS
}

/// Returns the faults of options.
pub(super) fn faults_of(options: &Value) -> Vec<OptionFault> {
    parse(options).err().unwrap_or_default()
}

/// Parses options.
///
/// # Errors
/// The faults.
pub(super) fn parse(options: &Value) -> Result<Options, Vec<OptionFault>> {
    let options: Options = parse_options::parse(options)?;
    match (1..=MAX_CPU_SECONDS).contains(&options.max_cpu_seconds) {
        true => Ok(options),
        false => {
            let detail = format!("must be from 1 to {MAX_CPU_SECONDS}");
            Err(vec![OptionFault::new("max_cpu_seconds", detail)])
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cpu_seconds_have_a_default_and_bounds() {
        for (options, seconds) in [(json!({}), 30), (json!({"max_cpu_seconds": 3600}), 3_600)] {
            let max_cpu_seconds = seconds;
            assert_eq!(parse(&options), Ok(Options { max_cpu_seconds }));
        }
        for (options, field) in [
            (json!({"max_cpu_seconds": 0}), "max_cpu_seconds"),
            (json!({"max_cpu_seconds": 3601}), "max_cpu_seconds"),
            (json!({"max_cpu_seconds": "1"}), "max_cpu_seconds"),
            (json!({"pages": 1}), "pages"),
            (json!(1), ""),
        ] {
            let faults = faults_of(&options);
            assert_eq!(faults.len(), 1, "{options}");
            assert_eq!(faults[0].field, field, "{options}");
        }
    }
}
