//! Prints results to standard output, and everything else to standard error.
//!
//! Names and messages come from other systems. None of their control characters may reach a
//! terminal: all output passes [`printable`], or is escaped as JSON.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;
use serde_json::json;

use super::arguments::Common;
use super::error::{Error, Result};
use super::exit::Exit;
use super::progress::Transfer;

/// How and where a command prints.
#[derive(Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
    /// Progress bars, if standard error is a terminal.
    bars: Option<MultiProgress>,
}

impl Output {
    /// Creates the output for the command-line options and the terminal.
    pub fn new(common: &Common) -> Self {
        let is_terminal = !common.quiet && io::stderr().is_terminal();
        let bars =
            is_terminal.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self {
            json: common.json,
            quiet: common.quiet,
            bars,
        }
    }

    /// Whether only results and errors are printed.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether results are printed as JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints one result: a line of JSON, or text for humans.
    ///
    /// # Errors
    /// [`Error::OutputClosed`] if the reader of standard output has closed it.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        let line = if self.json {
            let text = serde_json::to_string(value)
                .map_err(|error| Error::Failed(format!("cannot write JSON: {error}")))?;
            escape_json(&text)
        } else {
            let lines: Vec<_> = text().split('\n').map(printable).collect();
            lines.join("\n")
        };
        self.print_line(&line)
    }

    /// Prints one line to standard output.
    fn print_line(&self, line: &str) -> Result<()> {
        let written = self.without_bars(|| {
            let mut out = io::stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush())
        });
        written.map_err(write_error)
    }

    /// Prints a message for information; suppressed by `--quiet`.
    pub fn note(&self, line: &str) {
        if !self.quiet {
            self.print_message(line);
        }
    }

    /// Prints a warning.
    pub fn warn(&self, line: &str) {
        self.print_message(&format!("warning: {line}"));
    }

    /// Reports why one of several items failed: on standard error, and with `--json` also as a
    /// result. The other items are still processed. Returns the exit code of the item.
    ///
    /// # Errors
    /// The error itself if no other item can succeed either; [`Error::OutputClosed`].
    pub fn report_failure(&self, subject: &str, error: Error) -> Result<Exit> {
        if matches!(
            error.exit(),
            Exit::Usage | Exit::Interrupted | Exit::NotAllowed
        ) || matches!(error, Error::OutputClosed)
        {
            return Err(error);
        }
        self.print_error(&format!("{subject}: "), &error);
        if self.json {
            self.print_line(&escape_json(&error_json(Some(subject), &error).to_string()))?;
        }
        Ok(error.exit())
    }

    /// Reports why the command failed, and returns its exit code.
    pub fn exit_with(&self, error: &Error) -> ExitCode {
        if !matches!(error, Error::OutputClosed) {
            self.print_error("", error);
            if self.json {
                // If nothing reads the output, the exit code is all that is left.
                let _ = self.print_line(&escape_json(&error_json(None, error).to_string()));
            }
        }
        error.exit().into()
    }

    fn print_error(&self, subject: &str, error: &Error) {
        let kind = match error {
            Error::Skipped(_) => "warning",
            _ => "error",
        };
        self.print_message(&format!("{kind}: {subject}{error}"));
        if let Some(hint) = error.hint() {
            self.print_message(&format!("       {hint}"));
        }
    }

    /// Creates the progress display of a transfer. `total` is its size in bytes if known, `done` is
    /// how many bytes are already transferred.
    pub fn transfer(&self, label: &str, total: Option<u64>, done: u64) -> Transfer {
        let label = printable(label);
        match &self.bars {
            Some(bars) => Transfer::bar(bars, &label, total, done),
            None => Transfer::lines(&label, total, done, self.quiet),
        }
    }

    /// Prints one line to standard error.
    fn print_message(&self, line: &str) {
        let line = printable(line);
        // If standard error is closed, the message is lost.
        let _ = self.without_bars(|| writeln!(io::stderr().lock(), "{line}"));
    }

    /// Hides the progress bars while `write` runs.
    fn without_bars<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

/// Makes text from outside safe for a terminal: escapes control characters (C0, DEL and C1), and
/// the characters that change the direction of the text around them.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => safe.extend(c.escape_unicode()),
            c if c.is_control() => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// Makes JSON safe for a terminal: also escapes DEL and the C1 control characters, which JSON
/// allows unescaped in strings.
fn escape_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' => safe.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => safe.push(c),
        }
    }
    safe
}

/// The error for a failed write to standard output.
pub fn write_error(error: io::Error) -> Error {
    if error.kind() == ErrorKind::BrokenPipe {
        return Error::OutputClosed;
    }
    Error::local("cannot write to standard output", error)
}

fn error_json(subject: Option<&str>, error: &Error) -> serde_json::Value {
    let mut value = json!({"error": {
        "code": error.code(),
        "detail": error.to_string(),
        "exit_code": error.exit().code(),
    }});
    if let Some(members) = value.as_object_mut() {
        members.extend(subject.map(|subject| ("subject".to_owned(), json!(subject))));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_text_and_json_contain_no_control_characters() {
        let controls: String = (0..0x100).filter_map(char::from_u32).collect();
        assert!(!printable(&controls).chars().any(char::is_control));
        assert_eq!(printable("a\u{9b}2J\u{202e}b é"), "a\\u{9b}2J\\u{202e}b é");
        let json = escape_json(&json!({ "name": controls }).to_string());
        assert!(!json.chars().any(char::is_control), "{json}");
        let back: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(back["name"], controls);
    }
}
