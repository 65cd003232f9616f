//! `upload-broker process`: runs one processor, from standard input to standard output.
//!
//! The broker starts it as a child for each job (see `src/processors/child/mod.rs`). It reads no
//! settings and starts no runtime: the first thing that it does is to limit itself.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use crate::processors::execute::{Request, execute};
use crate::processors::{self, Limits, Processor};

/// The arguments of `upload-broker process`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The name of the processor, such as csv-aggregate
    #[arg(value_parser = processor)]
    name: &'static Processor,
    /// The options of the processor in JSON
    #[arg(long, default_value = "{}", value_parser = json)]
    options: Value,
    /// Memory for data, in bytes
    #[arg(long, default_value_t = 128 << 20)]
    memory: u64,
    /// CPU time, in seconds
    #[arg(long, default_value_t = 3600)]
    cpu: u64,
    /// Most bytes of all outputs together
    #[arg(long, default_value_t = 10 << 30)]
    output: u64,
    /// Most bytes in temporary files
    #[arg(long, default_value_t = 10 << 30)]
    spill: u64,
    /// Folder for temporary files
    #[arg(long, default_value = "/tmp")]
    scratch: PathBuf,
    /// Standard input has several inputs, each after its length
    #[arg(long)]
    framed: bool,
    /// End with the parent process, which has this id
    #[arg(long)]
    parent: Option<u32>,
}

/// Without this, any text would be taken as a JSON string.
fn json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

fn processor(name: &str) -> Result<&'static Processor, String> {
    processors::find_for_child(name).ok_or_else(|| {
        let names: Vec<_> = processors::SHIPPED.iter().map(|known| known.name).collect();
        format!(
            "there is no such processor; there are: {}",
            names.join(", ")
        )
    })
}

/// Runs the processor.
pub(super) fn run(arguments: Arguments) -> ExitCode {
    execute(&Request {
        processor: arguments.name,
        options: arguments.options,
        limits: Limits {
            memory_bytes: arguments.memory,
            output_bytes: arguments.output,
            spill_bytes: arguments.spill,
            scratch: arguments.scratch,
        },
        cpu_seconds: arguments.cpu,
        is_framed: arguments.framed,
        parent: arguments.parent,
    })
}
