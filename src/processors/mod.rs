//! What turns the bytes of a dataset into a result, and the bounded process in which that happens.
//!
//! A processor is an entry of [`SHIPPED`]: its name, what its results are, how its options are
//! checked, and the function that computes. It reads bytes and writes [`Outputs`](outputs::Outputs);
//! it knows no database, no store and no network.
//!
//! Its input comes from callers and may be hostile. A processor therefore never runs in the process
//! of the broker. [`child`] starts the program again with the hidden command `process`, whose whole
//! work is [`execute`]: set the limits of the operating system for itself ([`self_limits`]), read
//! the inputs from standard input, write the outputs to standard output, and report on the last line
//! of standard error. Whatever the input does to that process, the broker only sees a
//! [`Failure`](processor::Failure).
//!
//! A processor may start other programs ([`programs`]), within the same limits.
//!
//! To add a processor: a file or folder here, and one entry in [`SHIPPED`].

pub mod child;
mod csv;
pub mod csv_aggregate;
pub mod execute;
pub mod image_resize;
pub mod inputs;
pub mod outputs;
mod pdf_text;
pub mod processor;
pub mod programs;
pub mod report;
pub mod result_type;
pub mod self_limits;

mod bounded_writer;
mod image;
mod limits;
mod parse_options;
mod this_program;
#[cfg(debug_assertions)]
mod trial;

pub use limits::Limits;
pub(crate) use pdf_text::DETECTED_TEXT;
pub use processor::{Failure, OptionFault, Processor, Source};
pub use result_type::ResultType;

/// The processors of this program.
pub const SHIPPED: &[Processor] = &[
    csv::CSV_AGGREGATE,
    csv::CSV_MERGE,
    image::IMAGE_RESIZE,
    pdf_text::PDF_TEXT,
];

/// The processors that only debug builds have: with [`trial`], the tests do to the process what
/// hostile input might do.
#[cfg(debug_assertions)]
const DEBUG_ONLY: &[Processor] = &[trial::TRIAL];
#[cfg(not(debug_assertions))]
const DEBUG_ONLY: &[Processor] = &[];

/// Returns the processor that a child runs under this name; `None` if there is none. Besides those of
/// [`find`], there are some that do a part of the work of another one.
pub fn find_for_child(name: &str) -> Option<&'static Processor> {
    let part = (name == DETECTED_TEXT.name).then_some(&DETECTED_TEXT);
    part.or_else(|| find(name))
}

/// Returns the processor with this name; `None` if there is none.
pub fn find(name: &str) -> Option<&'static Processor> {
    (SHIPPED.iter().chain(DEBUG_ONLY)).find(|processor| processor.name == name)
}

/// The programs that the processor with this name starts, which the worker must have.
pub fn programs_of(name: &str) -> &'static [&'static str] {
    match uses_pdf_engine(name) {
        true => pdf_text::PROGRAMS,
        false => &[],
    }
}

/// Whether the records of a processor are the pages of a document.
pub fn has_pages(processor: &Processor) -> bool {
    uses_pdf_engine(processor.name)
}

/// Whether the processor with this name extracts the text of documents, which another engine can do.
pub fn uses_pdf_engine(name: &str) -> bool {
    name == pdf_text::PDF_TEXT.name
}
