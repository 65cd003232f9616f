//! How a program has ended, and what that means.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::Signal;

use super::messages::Messages;
use super::trampoline;
use crate::processors::execute::{CRASHED, OUTPUT_LIMIT};
use crate::processors::processor::Failure;

/// A program that has ended by itself.
#[derive(Debug)]
pub struct Finished {
    /// The exit code.
    pub code: i32,
    /// What it has written to standard error.
    pub messages: Messages,
}

/// Returns the exit code of a program, or the failure that its end means.
pub(super) fn finished(
    name: &str,
    status: ExitStatus,
    messages: Messages,
) -> Result<Finished, Failure> {
    match status.code() {
        Some(trampoline::MISSING) => {
            let message = format!("the worker has no program {name}");
            Err(Failure::temporary("program-missing", message))
        }
        Some(trampoline::NOT_STARTED) => {
            let message = format!("the worker cannot start the program {name}");
            Err(Failure::temporary("program", message))
        }
        Some(code) => Ok(Finished { code, messages }),
        None => Err(by_signal(
            name,
            status.signal().unwrap_or_default(),
            messages,
        )),
    }
}

fn by_signal(name: &str, signal: i32, messages: Messages) -> Failure {
    let is = |other: Signal| signal == other.as_raw();
    if is(Signal::XCPU) {
        let message = format!("{name} needs more than the CPU time that the document may take");
        return Failure::permanent("cpu-limit", message);
    }
    if is(Signal::XFSZ) {
        let message = format!("the text that {name} extracts is larger than the limit");
        return Failure::permanent(OUTPUT_LIMIT, message);
    }
    if is(Signal::ABORT) && messages.out_of_memory {
        let message = format!("{name} needs more memory than the limit");
        return Failure::permanent("memory-limit", message);
    }
    if [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP]
        .into_iter()
        .any(is)
    {
        let message =
            format!("{name} was killed, by the system for lack of memory or by an operator");
        return Failure::temporary("killed", message);
    }
    Failure::permanent(CRASHED, format!("{name} crashed (signal {signal})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(raw: i32, out_of_memory: bool) -> Result<i32, (String, bool)> {
        let messages = Messages {
            out_of_memory,
            ..Messages::default()
        };
        finished("pdftotext", ExitStatus::from_raw(raw), messages)
            .map(|finished| finished.code)
            .map_err(|failure| (failure.code, failure.is_permanent))
    }

    #[test]
    fn ends_are_distinguished() {
        assert_eq!(code_of(0, false), Ok(0));
        assert_eq!(code_of(99 << 8, false), Ok(99));
        for (raw, out_of_memory, code, is_permanent) in [
            (trampoline::MISSING << 8, false, "program-missing", false),
            (trampoline::NOT_STARTED << 8, false, "program", false),
            (Signal::XCPU.as_raw(), false, "cpu-limit", true),
            (Signal::XFSZ.as_raw(), false, OUTPUT_LIMIT, true),
            (Signal::ABORT.as_raw(), true, "memory-limit", true),
            (Signal::ABORT.as_raw(), false, CRASHED, true),
            (Signal::SEGV.as_raw(), true, CRASHED, true),
            (Signal::KILL.as_raw(), false, "killed", false),
        ] {
            let expected = Err((code.to_owned(), is_permanent));
            assert_eq!(code_of(raw, out_of_memory), expected, "{raw}");
        }
    }
}
