//! How a child has ended, and what that means.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;

use super::task::ChildLimits;
use crate::processors::execute::{CRASHED, OUTPUT_LIMIT};
use crate::processors::processor::Failure;
use crate::processors::report::{self, Done};

/// What the Rust runtime writes when an allocation fails, before it aborts the process.
const ALLOCATION_FAILED: &[u8] = b"memory allocation of ";

/// A child that has ended.
pub(super) struct Gone {
    pub(super) status: ExitStatus,
    /// The end of its standard error.
    pub(super) errors: Vec<u8>,
    /// The size of its standard output in bytes.
    pub(super) size: u64,
}

/// What the end of a child means.
#[derive(Debug, PartialEq)]
pub(super) enum Ended {
    /// It has done its work.
    Done(Done),
    Failed(Failure),
}

impl Gone {
    /// Decides by the exit status, the report and the size of the outputs.
    pub(super) fn ended(&self, limits: &ChildLimits) -> Ended {
        let outcome = report::from_last_line(&self.errors);
        match (self.status.code(), outcome) {
            (Some(0), Some(Ok(_))) if self.size > limits.output_bytes => {
                Ended::Failed(output_limit(limits))
            }
            (Some(0), Some(Ok(done))) => Ended::Done(done),
            (Some(1), Some(Err(failure))) => Ended::Failed(failure),
            (Some(code), _) => {
                let message = format!("the processor ended without a report (exit code {code})");
                Ended::Failed(Failure::permanent(CRASHED, message))
            }
            (None, _) => Ended::Failed(self.by_signal(limits)),
        }
    }

    fn by_signal(&self, limits: &ChildLimits) -> Failure {
        let signal = self.status.signal().unwrap_or_default();
        let is = |other: Signal| signal == other.as_raw();
        if is(Signal::XCPU) {
            return cpu_limit(limits);
        }
        if is(Signal::XFSZ) {
            return output_limit(limits);
        }
        if is(Signal::ABORT) && self.has_failed_to_allocate() {
            let bytes = limits.memory_bytes;
            let message = format!("the processor needs more than {bytes} bytes of memory");
            return Failure::permanent("memory-limit", message);
        }
        // No processor sends itself these, and the broker sends them only to a child that it no
        // longer waits for.
        let is_from_outside = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP];
        if is_from_outside.into_iter().any(is) {
            let message =
                "the processor was killed, by the system for lack of memory or by an operator";
            return Failure::temporary("killed", message);
        }
        let message = format!("the processor crashed (signal {signal})");
        Failure::permanent(CRASHED, message)
    }

    fn has_failed_to_allocate(&self) -> bool {
        let length = ALLOCATION_FAILED.len();
        (self.errors.windows(length)).any(|window| window == ALLOCATION_FAILED)
    }
}

/// The failure of a child that took longer than `wall`, of which it `waited` for its inputs.
pub(super) fn time_limit(wall: Duration, waited: Duration) -> Failure {
    let seconds = wall.as_secs_f64();
    let message = format!("the processor did not finish within {seconds} s");
    match waited > wall / 2 {
        true => Failure::temporary(
            TIME_LIMIT,
            format!("{message}: its inputs arrived too slowly"),
        ),
        false => Failure::permanent(TIME_LIMIT, message),
    }
}

const TIME_LIMIT: &str = "time-limit";

fn cpu_limit(limits: &ChildLimits) -> Failure {
    let seconds = limits.cpu_seconds;
    let message = format!("the processor needs more than {seconds} s of CPU time");
    Failure::permanent("cpu-limit", message)
}

fn output_limit(limits: &ChildLimits) -> Failure {
    let (output, spill) = (limits.output_bytes, limits.spill_bytes);
    let message = format!(
        "the outputs are larger than the limit of {output} bytes, or a temporary file larger than {spill} bytes"
    );
    Failure::permanent(OUTPUT_LIMIT, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processors::outputs::Written;

    const OUTPUT: u64 = 10;

    fn ended(raw: i32, errors: &str, size: u64) -> Ended {
        let gone = Gone {
            status: ExitStatus::from_raw(raw),
            errors: errors.as_bytes().to_vec(),
            size,
        };
        gone.ended(&ChildLimits {
            memory_bytes: 1,
            cpu_seconds: 2,
            wall: Duration::from_secs(3),
            output_bytes: OUTPUT,
            spill_bytes: 20,
            scratch: "/".into(),
        })
    }

    fn failure(raw: i32, errors: &str) -> (String, bool) {
        match ended(raw, errors, 0) {
            Ended::Failed(failure) => (failure.code, failure.is_permanent),
            done @ Ended::Done(_) => panic!("{done:?}"),
        }
    }

    #[test]
    fn result_counts_only_with_exit_code_0_and_a_report() {
        let report = "{\"report\":7,\"results\":[],\"records_size\":0}\n";
        let done = Done {
            report: 7.into(),
            written: Written::default(),
        };
        assert_eq!(ended(0, report, OUTPUT), Ended::Done(done));
        let too_large = ended(0, report, OUTPUT + 1);
        assert!(matches!(too_large, Ended::Failed(failure) if failure.code == OUTPUT_LIMIT));
        let refused = "{\"failure\":{\"code\":\"csv\",\"message\":\"m\",\"permanent\":true}}\n";
        assert_eq!(failure(1 << 8, refused), ("csv".to_owned(), true));
        for (code, errors) in [(0, ""), (0, refused), (1, report), (1, "x"), (2, refused)] {
            assert_eq!(failure(code << 8, errors), (CRASHED.to_owned(), true));
        }
    }

    #[test]
    fn signals_are_distinguished() {
        let aborted = "memory allocation of 9 bytes failed\n";
        for (signal, errors, code, is_permanent) in [
            (Signal::XCPU, "", "cpu-limit", true),
            (Signal::XFSZ, "", OUTPUT_LIMIT, true),
            (Signal::ABORT, aborted, "memory-limit", true),
            (Signal::ABORT, "", CRASHED, true),
            (Signal::SEGV, "", CRASHED, true),
            (Signal::KILL, "{\"report\":7}\n", "killed", false),
            (Signal::TERM, "", "killed", false),
        ] {
            let expected = (code.to_owned(), is_permanent);
            assert_eq!(failure(signal.as_raw(), errors), expected, "{signal:?}");
        }
    }

    #[test]
    fn time_limit_is_temporary_if_the_inputs_were_slow() {
        let wall = Duration::from_secs(10);
        assert!(time_limit(wall, Duration::from_secs(5)).is_permanent);
        assert!(!time_limit(wall, Duration::from_secs(6)).is_permanent);
    }
}
