//! What a child has to do, and what it may use.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use serde_json::Value;

use crate::processors::processor::Processor;

/// What a child may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildLimits {
    /// The memory for data, in bytes. The program itself does not count.
    pub memory_bytes: u64,
    /// The CPU time in seconds.
    pub cpu_seconds: u64,
    /// The longest time from start to end.
    pub wall: Duration,
    /// The most bytes of all outputs together.
    pub output_bytes: u64,
    /// The most bytes in temporary files at a time.
    pub spill_bytes: u64,
    /// The folder for the outputs and temporary files. It must exist.
    pub scratch: PathBuf,
}

/// An input of a child. The stream is not polled before the input is needed.
pub struct Input<'a> {
    /// The exact number of bytes in the stream.
    pub size: u64,
    /// The bytes. While a chunk is written to the child, the next one is read, so the chunks should
    /// be large.
    pub bytes: BoxStream<'a, io::Result<Bytes>>,
}

/// What a child has to do.
pub struct Task<'a> {
    /// The processor.
    pub processor: &'static Processor,
    /// Its options.
    pub options: &'a Value,
    /// Its inputs, in order.
    pub inputs: Vec<Input<'a>>,
    /// What it may use.
    pub limits: &'a ChildLimits,
    /// Is increased by the number of bytes that the child has taken, while it runs.
    pub progress: &'a AtomicU64,
}
