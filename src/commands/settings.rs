//! Loads the settings together with the processing rules in the file that they name.

use std::process::ExitCode;

use super::output::report_invalid;
use super::processing_rules::{self, InvalidRules};
use crate::config::{self, Processors, Section as _, Settings};
use crate::domain::rules::ProcessingRules;

/// Loads the settings and the rules of this process.
///
/// # Errors
/// Every fault of both is printed; the error is the exit code.
pub(super) fn from_env() -> Result<(Settings, ProcessingRules), ExitCode> {
    load(config::env, processing_rules::load)
}

/// Loads settings by `lookup`, and the rules by `load_rules`.
///
/// # Errors
/// As [`from_env`].
pub(super) fn load(
    lookup: impl Fn(&str) -> Option<String>,
    load_rules: impl Fn(&Processors) -> Result<ProcessingRules, InvalidRules>,
) -> Result<(Settings, ProcessingRules), ExitCode> {
    let settings = Settings::load(&lookup);
    // Read on their own, so that the faults of the rules are found even if another setting has one.
    let rules = Processors::load(&lookup).map(|processors| load_rules(&processors));
    match (settings, rules) {
        (Ok(settings), Ok(Ok(rules))) => Ok((settings, rules)),
        (settings, rules) => {
            let of_settings = settings.err().unwrap_or_default();
            let of_rules = rules.ok().and_then(Result::err);
            let of_rules = of_rules.iter().flat_map(InvalidRules::messages);
            let faults = of_settings.iter().map(ToString::to_string);
            Err(report_invalid(
                "The settings are invalid:",
                faults.chain(of_rules),
            ))
        }
    }
}
