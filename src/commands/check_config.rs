//! `check-config`: validates the settings and prints their effective values.

use std::process::ExitCode;

use super::output::{print_stderr, report_invalid_settings};
use crate::config;

pub(super) fn run() -> ExitCode {
    for warning in config::unknown_variables(config::env_names()) {
        print_stderr(&warning);
    }
    match config::from_env() {
        Ok(settings) => {
            print!("{}", settings.report());
            ExitCode::SUCCESS
        }
        Err(faults) => report_invalid_settings(&faults),
    }
}
