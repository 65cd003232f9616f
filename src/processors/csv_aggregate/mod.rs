//! The processor `csv-aggregate`: groups rows by columns, and sums, counts and compares others.
//!
//! A file of song plays with the columns `Song,Date,Number of Plays` becomes plays per song and date.
//! Any number of inputs is read once, from their start to their end, into one sorted output.
//!
//! - **From bytes to rows**: `decode` decompresses and converts to UTF-8, `records` splits into
//!   records in place, `header` finds the columns.
//! - **From rows to groups**: `accumulate` checks a row as a whole, replaces each group value by
//!   its number in a `dictionary`, and updates the group of the packed numbers in a `table`.
//! - **Past the memory**: `groups` sorts the table into a run in a temporary file and starts
//!   anew. At the end all runs are merged.
//!
//! The output is sorted byte by byte by the group columns, so that it depends only on the rows and
//! not on their order, on the memory or on a seed; and so that outputs can be merged by the same
//! code (see [`Checked::for_merge`]).
//!
//! # Faults
//!
//! A row that cannot be read is counted, sampled into the report and left out; too many of them fail
//! the job. All other faults fail it at once. A [`Failure`] says whether a retry can help. What was
//! written of the output until then must be thrown away.
//!
//! # Memory
//!
//! The budget of [`Limits`] bounds everything that grows with the data. An input, a record and a run
//! have buffers of fixed size. Nothing is done in other threads.

mod accumulate;
mod bad_sample;
mod budget;
mod cells;
mod check;
mod checked;
mod decode;
mod detect;
mod dictionary;
mod failure;
mod groups;
mod header;
mod job;
mod key;
mod layout;
mod limits;
mod marks;
mod merge;
mod number;
mod options;
mod packed_run;
mod quoted;
mod rank;
mod records;
mod report;
mod row;
mod sort;
mod spill;
mod table;
mod text_run;
mod transcode;
mod update;
mod write;

use std::io::{self, Read, Write};

pub use bad_sample::BadSample;
pub use checked::Checked;
pub use failure::Failure;
pub use limits::Limits;
pub use options::{
    Aggregate, Column, Compression, Encoding, Function, OptionFault, Options, ValueType,
};
pub use report::{BadRows, Format, Report};

/// Aggregates all inputs into one output.
///
/// Each input is opened when the one before it was read. They may differ in their compression, their
/// encoding, their delimiter and the order of their columns.
pub fn aggregate(
    checked: &Checked,
    limits: &Limits,
    inputs: impl Iterator<Item = io::Result<Box<dyn Read>>>,
    output: impl Write,
) -> Result<Report, Failure> {
    let mut job = job::Job::new(checked, limits, limits.budget());
    for (input, number) in inputs.zip(1..) {
        let input = input.map_err(|source| Failure::Read {
            input: number,
            source,
        })?;
        job.read(input)?;
    }
    job.finish(output)
}

#[cfg(test)]
mod tests;
