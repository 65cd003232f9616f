//! `check-config`: the settings as they would be used.

use std::process::ExitCode;

use super::output::{bad_config, complain};
use crate::config;

pub(super) fn run() -> ExitCode {
    for warning in config::unknown_variables(config::env_names()) {
        complain(&warning);
    }
    match config::from_env() {
        Ok(settings) => {
            print!("{}", settings.report());
            ExitCode::SUCCESS
        }
        Err(faults) => bad_config(&faults),
    }
}
