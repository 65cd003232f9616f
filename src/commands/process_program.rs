//! `upload-broker process-program`: becomes a program that a processor needs, within limits.
//!
//! Only `upload-broker process` starts it (see `src/processors/programs/trampoline.rs`).

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args;

use crate::processors::programs::trampoline::{Request, become_program};

/// The arguments of `upload-broker process-program`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// End with the parent process, which has this id
    #[arg(long)]
    parent: u32,
    /// CPU time, in seconds
    #[arg(long)]
    cpu: u64,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    program: Vec<OsString>,
}

/// Becomes the program.
pub(super) fn run(arguments: Arguments) -> ExitCode {
    become_program(&Request {
        parent: arguments.parent,
        cpu_seconds: arguments.cpu,
        program: arguments.program,
    })
}
