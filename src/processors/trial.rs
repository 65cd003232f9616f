//! A processor for tests, which debug builds have and release builds do not: `trial`.
//!
//! The limits of the bounded process can only be tested with a process that reaches them. Real
//! processors are written so that they do not; this one does on request what hostile input might
//! make a processor do.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::inputs::Inputs;
use super::limits::Limits;
use super::outputs::Outputs;
use super::processor::{Failure, OptionFault, Processor, Source};
use super::result_type::ResultType;

/// The entry in the list of processors.
pub(super) const TRIAL: Processor = Processor {
    name: "trial",
    source: Source::Dataset,
    results: &[BYTES, TEXT],
    check_options: |options| match parse(options) {
        Ok(_) => Vec::new(),
        Err(fault) => vec![fault],
    },
    run,
};

/// What most actions write.
const BYTES: ResultType = ResultType {
    kind: "trial",
    extension: "bin",
    content_type: "application/octet-stream",
};
/// A second type.
const TEXT: ResultType = ResultType {
    kind: "note",
    extension: "txt",
    content_type: "text/plain",
};

/// What the processor does.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Action {
    /// Copies all inputs to the result, and reports their sizes.
    Echo,
    /// Writes the variables of its environment, as the kernel has them.
    Environment,
    /// Writes what its open files are, one on each line.
    Descriptors,
    /// Allocates and touches so many bytes, and reports them.
    Allocate(usize),
    /// Uses the processor for ever.
    Spin,
    /// Waits for so many milliseconds.
    Sleep(u64),
    /// Writes so many bytes to the result.
    Write(u64),
    /// Writes so many bytes to standard output, past the check of the size of the result.
    Flood(u64),
    /// Writes so many bytes to a temporary file, and fails if that fails.
    Spill(u64),
    /// Opens so many temporary files at the same time.
    Open(usize),
    /// Writes so many bytes to standard error, and ends without a report.
    Garbage(u64),
    /// Fails as processors do, with this code.
    Fail(String),
    /// Panics with a message that must not be shown.
    Panic,
    /// Aborts the process.
    Abort,
    /// Calls itself until the stack is full.
    Recurse,
    /// Ends without having read its inputs.
    Ignore,
    /// Writes a result of text with each of these names, whose content is its name, and a record
    /// about each.
    Named(Vec<String>),
    /// Writes this to standard error as its last line, and ends with success.
    Claim(String),
}

fn parse(options: &Value) -> Result<Action, OptionFault> {
    serde_json::from_value(options.clone()).map_err(|error| OptionFault::new("", error.to_string()))
}

fn run(
    options: &Value,
    inputs: Inputs,
    outputs: &mut Outputs<'_>,
    limits: &Limits,
) -> Result<Value, Failure> {
    let action =
        parse(options).map_err(|fault| Failure::permanent("invalid-options", fault.detail))?;
    act(action, inputs, outputs, limits)
        .map_err(|error| Failure::temporary("io", error.to_string()))?
}

/// The outer error is one of a stream or file.
fn act(
    action: Action,
    inputs: Inputs,
    outputs: &mut Outputs<'_>,
    limits: &Limits,
) -> io::Result<Result<Value, Failure>> {
    if !matches!(action, Action::Named(_)) {
        outputs.start(&BYTES, None)?;
    }
    match action {
        Action::Echo => {
            let mut sizes = Vec::new();
            for input in inputs {
                sizes.push(io::copy(&mut input?, outputs)?);
            }
            return Ok(Ok(json!({ "sizes": sizes })));
        }
        Action::Environment => outputs.write_all(&fs::read("/proc/self/environ")?)?,
        Action::Descriptors => {
            for entry in fs::read_dir("/proc/self/fd")? {
                let target = fs::read_link(entry?.path())?;
                writeln!(outputs, "{}", target.display())?;
            }
        }
        Action::Allocate(bytes) => {
            let all = vec![1_u8; bytes];
            return Ok(Ok(json!({ "allocated": std::hint::black_box(&all).len() })));
        }
        Action::Spin => loop {
            std::hint::spin_loop();
        },
        Action::Sleep(milliseconds) => thread::sleep(Duration::from_millis(milliseconds)),
        Action::Write(bytes) => {
            io::copy(&mut io::repeat(b'x').take(bytes), outputs)?;
        }
        Action::Flood(bytes) => {
            io::copy(&mut io::repeat(b'x').take(bytes), &mut io::stdout())?;
        }
        Action::Spill(bytes) => {
            let mut file = tempfile::tempfile_in(&limits.scratch)?;
            io::copy(&mut io::repeat(b'x').take(bytes), &mut file)?;
        }
        Action::Open(count) => {
            let opened = (0..count).map(|_| tempfile::tempfile_in(&limits.scratch));
            let opened: Vec<_> = opened.collect::<io::Result<_>>()?;
            return Ok(Ok(json!({ "opened": opened.len() })));
        }
        Action::Garbage(bytes) => {
            io::copy(&mut io::repeat(b'x').take(bytes), &mut io::stderr())?;
            end_at_once();
        }
        Action::Fail(code) => return Ok(Err(Failure::permanent(code, "as requested"))),
        Action::Panic => panic_with_data(),
        Action::Abort => std::process::abort(),
        Action::Recurse => return Ok(Ok(json!(recurse(1)))),
        Action::Ignore => {}
        Action::Named(names) => {
            for name in names {
                outputs.start(&TEXT, Some(&name))?;
                outputs.write_all(name.as_bytes())?;
                outputs.add_record(&json!({ "name": name }))?;
            }
        }
        Action::Claim(line) => {
            writeln!(io::stderr(), "{line}")?;
            end_at_once();
        }
    }
    Ok(Ok(Value::Null))
}

#[expect(
    clippy::disallowed_methods,
    reason = "ends without a report, as intended"
)]
fn end_at_once() -> ! {
    std::process::exit(0)
}

#[expect(clippy::panic, reason = "panics on request")]
fn panic_with_data() {
    panic!("a cell of the caller");
}

/// Needs more stack with each call, which the compiler cannot turn into a loop.
#[expect(unconditional_recursion, reason = "fills the stack on request")]
fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 128]);
    recurse(depth.wrapping_add(1)).wrapping_add(frame.iter().sum::<u64>())
}
