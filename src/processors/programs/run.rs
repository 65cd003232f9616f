//! Starts a program and waits for its end.

use std::fs::File;
use std::io;
use std::process::{Command, Stdio};

use super::end::{self, Finished};
use super::messages::Messages;
use super::trampoline;
use crate::processors::processor::Failure;
use crate::processors::this_program::this_program;

/// A program to start, and its arguments.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Its name, which is searched in `PATH`.
    pub name: &'a str,
    /// Its arguments.
    pub arguments: &'a [&'a str],
    /// Its standard input.
    pub input: &'a File,
    /// The CPU time in seconds.
    pub cpu_seconds: u64,
}

/// Starts a program that writes to `output`, and waits for its end.
///
/// # Errors
/// The program is missing, cannot be started, or was ended by a signal.
pub fn run(start: &Start<'_>, output: &File) -> Result<Finished, Failure> {
    let broken = |error: io::Error| Failure::temporary("program", error.to_string());
    let mut command = Command::new(this_program().map_err(broken)?);
    command
        .arg(trampoline::COMMAND)
        .arg("--parent")
        .arg(std::process::id().to_string())
        .arg("--cpu")
        .arg(start.cpu_seconds.to_string())
        .arg("--")
        .arg(start.name)
        .args(start.arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::from(start.input.try_clone().map_err(broken)?))
        .stdout(Stdio::from(output.try_clone().map_err(broken)?))
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(broken)?;
    // It ends when the program ends, or closes its standard error.
    let messages = child.stderr.take().map(Messages::read).unwrap_or_default();
    let status = child.wait().map_err(broken)?;
    end::finished(start.name, status, messages)
}
