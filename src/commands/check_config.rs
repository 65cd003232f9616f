//! `check-config`: validates the settings, with the file of processing rules that they name, and prints
//! their effective values.

use std::process::ExitCode;

use super::output::print_stderr;
use super::settings;
use crate::config;

pub(super) fn run() -> ExitCode {
    for warning in config::unknown_variables(config::env_names()) {
        print_stderr(&warning);
    }
    match settings::from_env() {
        Ok((settings, _)) => {
            print!("{}", settings.report());
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}
