//! Results on standard output, everything else on standard error.
//!
//! Names and texts come from other systems. No control character of theirs reaches a terminal: all
//! that is written passes [`printable`], or is escaped as JSON.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;
use serde_json::json;

use super::arguments::Common;
use super::error::{Error, Result};
use super::exit::Exit;
use super::progress::Transfer;

/// Where a command says what.
#[derive(Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
    /// Bars, where a person watches a terminal.
    bars: Option<MultiProgress>,
}

impl Output {
    /// As the options and the terminal have it.
    pub fn new(common: &Common) -> Self {
        let watched = !common.quiet && io::stderr().is_terminal();
        let bars = watched.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self {
            json: common.json,
            quiet: common.quiet,
            bars,
        }
    }

    /// Whether a person wants no more than results and errors.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// One result: a line of JSON, or words for people.
    ///
    /// # Errors
    /// [`Error::OutputClosed`] where nobody reads any more.
    pub fn result(&self, value: &impl Serialize, words: impl FnOnce() -> String) -> Result<()> {
        let line = if self.json {
            let text = serde_json::to_string(value)
                .map_err(|error| Error::Failed(format!("cannot write JSON: {error}")))?;
            escaped(&text)
        } else {
            let lines: Vec<_> = words().split('\n').map(printable).collect();
            lines.join("\n")
        };
        self.line(&line)
    }

    /// One line on standard output.
    fn line(&self, line: &str) -> Result<()> {
        let written = self.apart(|| {
            let mut out = io::stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush())
        });
        written.map_err(output_fault)
    }

    /// Something that a person may want to know; silenced by `--quiet`.
    pub fn note(&self, line: &str) {
        if !self.quiet {
            self.complain(line);
        }
    }

    /// Something that a person should know, and that stops nothing.
    pub fn warn(&self, line: &str) {
        self.complain(&format!("warning: {line}"));
    }

    /// Why one of several things failed: on standard error, and as a result with `--json`. The
    /// others go on. Returns how the command will have to end.
    ///
    /// # Errors
    /// The error itself where going on makes no sense; [`Error::OutputClosed`].
    pub fn failed(&self, subject: &str, error: Error) -> Result<Exit> {
        if matches!(
            error.exit(),
            Exit::Usage | Exit::Interrupted | Exit::NotAllowed
        ) || matches!(error, Error::OutputClosed)
        {
            return Err(error);
        }
        self.explain(&format!("{subject}: "), &error);
        if self.json {
            self.line(&escaped(&in_json(Some(subject), &error).to_string()))?;
        }
        Ok(error.exit())
    }

    /// Says why the command failed, and returns its exit code.
    pub fn end(&self, error: &Error) -> ExitCode {
        if !matches!(error, Error::OutputClosed) {
            self.explain("", error);
            if self.json {
                // With nobody to read it, the exit code is all that is left.
                let _ = self.line(&escaped(&in_json(None, error).to_string()));
            }
        }
        error.exit().into()
    }

    fn explain(&self, subject: &str, error: &Error) {
        let kind = match error {
            Error::LeftOut(_) => "warning",
            _ => "error",
        };
        self.complain(&format!("{kind}: {subject}{error}"));
        if let Some(hint) = error.hint() {
            self.complain(&format!("       {hint}"));
        }
    }

    /// The progress of some bytes; `total` where it is known, `done` are there already.
    pub fn transfer(&self, label: &str, total: Option<u64>, done: u64) -> Transfer {
        let label = printable(label);
        match &self.bars {
            Some(bars) => Transfer::bar(bars, &label, total, done),
            None => Transfer::lines(&label, total, done, self.quiet),
        }
    }

    /// One line to standard error.
    fn complain(&self, line: &str) {
        let line = printable(line);
        // A standard error that is closed cannot be complained about.
        let _ = self.apart(|| writeln!(io::stderr().lock(), "{line}"));
    }

    /// Writes apart from the bars.
    fn apart<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

/// Text that comes from outside, made fit for a terminal: control characters (C0, DEL and C1) are
/// spelt out, and so are those that change the direction of the text around them.
pub fn printable(text: &str) -> String {
    let mut fit = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => fit.extend(c.escape_unicode()),
            c if c.is_control() => fit.extend(c.escape_unicode()),
            c => fit.push(c),
        }
    }
    fit
}

/// JSON, fit for a terminal: DEL and the C1 control characters, which JSON allows in strings as
/// they are, are escaped as well.
fn escaped(json: &str) -> String {
    let mut fit = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' => fit.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => fit.push(c),
        }
    }
    fit
}

/// Why standard output took no more.
pub fn output_fault(error: io::Error) -> Error {
    if error.kind() == ErrorKind::BrokenPipe {
        return Error::OutputClosed;
    }
    Error::local("cannot write to standard output", error)
}

fn in_json(subject: Option<&str>, error: &Error) -> serde_json::Value {
    let mut value = json!({"error": {
        "code": error.code(),
        "detail": error.to_string(),
        "exit_code": error.exit().code(),
    }});
    if let Some(about) = value.as_object_mut() {
        about.extend(subject.map(|subject| ("subject".to_owned(), json!(subject))));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_is_left() {
        let hostile: String = (0..0x100).filter_map(char::from_u32).collect();
        assert!(!printable(&hostile).chars().any(char::is_control));
        assert_eq!(printable("a\u{9b}2J\u{202e}b é"), "a\\u{9b}2J\\u{202e}b é");
        let json = escaped(&json!({ "name": hostile }).to_string());
        assert!(!json.chars().any(char::is_control), "{json}");
        let back: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(back["name"], hostile);
    }
}
