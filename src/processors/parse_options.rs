//! The options of a processor as a type of its own.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::processor::{Failure, OptionFault};

/// Parses options. The only fault names the field in which parsing stopped.
pub(super) fn parse<T: DeserializeOwned>(options: &Value) -> Result<T, Vec<OptionFault>> {
    serde_path_to_error::deserialize(options).map_err(|error| {
        let field = match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        };
        vec![OptionFault::new(field, error.into_inner().to_string())]
    })
}

/// The failure of a job whose options have faults.
pub(super) fn invalid_options(faults: &[OptionFault]) -> Failure {
    let faults = faults.iter();
    let faults: Vec<String> = faults
        .map(|fault| format!("{}: {}", fault.field, fault.detail))
        .collect();
    Failure::permanent("invalid-options", faults.join("; "))
}
