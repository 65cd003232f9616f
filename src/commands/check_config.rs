//! `check-config`: validates the settings, with the file of processing rules that they name, and prints
//! their effective values. It warns of programs that the processors of the rules need, if this machine does not
//! have them.

use std::process::ExitCode;

use super::output::print_stderr;
use super::{programs, settings};
use crate::config;

pub(super) fn run() -> ExitCode {
    for warning in config::unknown_variables(config::env_names()) {
        print_stderr(&warning);
    }
    match settings::from_env() {
        Ok((settings, rules)) => {
            print!("{}", settings.report());
            for (processor, names) in programs::missing_for(&rules, &settings.worker.pdf_engine) {
                let names = names.join(" and ");
                let advice = programs::ADVICE;
                print_stderr(&format!(
                    "A rule uses {processor}, which needs {names}; PATH does not have it. On the machines of the workers, {advice}"
                ));
            }
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}
