//! The step between the bounded process and another program.
//!
//! Only a process itself can ask the kernel to be killed together with its parent, and the request
//! is kept when it becomes another program. So this program is started first, limits itself, and
//! becomes the other one.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use crate::processors::self_limits;

/// The hidden command.
pub const COMMAND: &str = "process-program";
/// The exit code if the program does not exist, as that of a shell.
pub const MISSING: i32 = 127;
/// The exit code if the program could not be started.
pub const NOT_STARTED: i32 = 126;

/// The program that this process becomes.
#[derive(Clone, Debug)]
pub struct Request {
    /// The process that waits for this one.
    pub parent: u32,
    /// The CPU time in seconds.
    pub cpu_seconds: u64,
    /// Its name or path, and its arguments.
    pub program: Vec<OsString>,
}

/// Limits this process, and becomes the program. Returns only if that fails.
pub fn become_program(request: &Request) -> ExitCode {
    let Some((name, arguments)) = request.program.split_first() else {
        return exit_code(NOT_STARTED);
    };
    let limited = self_limits::limit_program(request.cpu_seconds, request.parent);
    let error = match limited {
        Ok(()) => Command::new(name).args(arguments).exec(),
        Err(error) => error,
    };
    exit_code(match error.kind() {
        io::ErrorKind::NotFound => MISSING,
        _ => NOT_STARTED,
    })
}

fn exit_code(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}
