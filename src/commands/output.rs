//! What commands say to the person, and how they end.

use std::fmt::Display;
use std::process::ExitCode;

use crate::config::{self, Fault, Log, LogFormat};
use crate::telemetry;

/// Wrong usage, as clap itself ends.
pub(super) const BAD_USAGE: u8 = 2;
/// Wrong settings, as `sysexits.h` has it for configuration errors.
pub(super) const BAD_CONFIG: u8 = 78;

/// Says why a command failed, with every cause: in the log where one has started (a log of JSON
/// has no other lines), else on the terminal.
pub(super) fn fail(what: &str, error: &dyn std::error::Error) -> ExitCode {
    let text = format!("{what}: {}", causes(error));
    if log::log_enabled!(log::Level::Error) {
        log::error!("{text}");
    } else {
        complain(&text);
    }
    ExitCode::FAILURE
}

/// An error with every cause, on one line.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors tell their cause themselves.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Warns of variables that look like ours and are not.
pub(super) fn warn_of_unknown() {
    for warning in config::unknown_variables(config::env_names()) {
        log::warn!("{warning}");
    }
}

/// Starts the log. From here on, what is to be said goes there.
pub(super) fn start_log(settings: &Log) {
    let format = match settings.format {
        LogFormat::Text => telemetry::log::Format::Text,
        LogFormat::Json => telemetry::log::Format::Json,
    };
    if let Err(error) = telemetry::log::init(format, &settings.filter) {
        complain(&format!("the log is started already: {error}"));
    }
}

/// Lists faults of the settings.
pub(super) fn bad_config(faults: &[Fault]) -> ExitCode {
    complain("The settings have faults:");
    for fault in faults {
        complain(&format!("  {fault}"));
    }
    ExitCode::from(BAD_CONFIG)
}

/// One line to standard error.
#[expect(
    clippy::print_stderr,
    reason = "the one place that talks to the terminal beside the log"
)]
pub(super) fn complain(line: &str) {
    eprintln!("{line}");
}

/// A table cell for something that may be missing.
pub(super) fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
