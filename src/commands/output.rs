//! Output and exit codes of the operator commands.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, Serializer};

use crate::config::{self, Fault, Log, LogFormat};
use crate::telemetry;

/// The exit code for invalid usage, the same as clap's.
pub(super) const BAD_USAGE: u8 = 2;
/// The exit code for invalid settings: EX_CONFIG of `sysexits.h`.
pub(super) const BAD_CONFIG: u8 = 78;

/// Reports why a command failed, with all causes: in the log if it has been started (a JSON log has
/// no other lines), else on standard error.
pub(super) fn report_failure(what: &str, error: &dyn std::error::Error) -> ExitCode {
    let text = format!("{what}: {}", causes(error));
    if log::log_enabled!(log::Level::Error) {
        log::error!("{text}");
    } else {
        print_stderr(&text);
    }
    ExitCode::FAILURE
}

/// An error with all its causes, on one line.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors already contain the text of their cause.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Logs a warning for every unknown variable with the prefix `BROKER_`.
pub(super) fn warn_unknown_variables() {
    for warning in config::unknown_variables(config::env_names()) {
        log::warn!("{warning}");
    }
}

/// Starts the log. From now on, messages go there.
pub(super) fn start_log(settings: &Log) {
    let format = match settings.format {
        LogFormat::Text => telemetry::log::Format::Text,
        LogFormat::Json => telemetry::log::Format::Json,
    };
    if let Err(error) = telemetry::log::init(format, &settings.filter) {
        print_stderr(&format!("the log has already been started: {error}"));
    }
}

/// Reports the faults of the settings.
pub(super) fn report_invalid_settings(faults: &[Fault]) -> ExitCode {
    report_invalid("The settings are invalid:", faults)
}

/// Reports faults of the settings, or of a file that they name.
pub(super) fn report_invalid(
    heading: &str,
    faults: impl IntoIterator<Item = impl Display>,
) -> ExitCode {
    print_stderr(heading);
    for fault in faults {
        print_stderr(&format!("  {fault}"));
    }
    ExitCode::from(BAD_CONFIG)
}

/// Prints one line to standard error.
#[expect(
    clippy::print_stderr,
    reason = "the only place besides the log that writes to standard error"
)]
pub(super) fn print_stderr(line: &str) {
    eprintln!("{line}");
}

/// Prints a secret alone on a line. It writes directly to standard output, so that no copy of the
/// secret remains in memory.
///
/// # Errors
/// Standard output is closed, or cannot be written to: the secret may not have been printed.
pub(super) fn print_secret(secret: &SecretString) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", secret.expose_secret())?;
    out.flush()
}

/// Prints a value that contains a secret as JSON, in the same way, and with the same errors. The secret
/// is serialized with [`expose`].
pub(super) fn print_with_secret(value: &impl Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)?;
    out.flush()
}

/// Serializes a secret as it is.
pub(super) fn expose<S: Serializer>(
    secret: &SecretString,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// A table cell with a value, or a dash.
pub(super) fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
