//! Runs the programs on a document.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::time::Instant;

use super::super::failure::broken;
use crate::processors::limits::Limits;
use crate::processors::processor::Failure;
use crate::processors::programs::{self, Finished, Start};

/// The program that extracts text.
pub(in crate::processors::pdf_text) const PDFTOTEXT: &str = "pdftotext";
/// The program that counts pages, of the same package.
pub(in crate::processors::pdf_text) const PDFINFO: &str = "pdfinfo";
/// The document as the programs name it: it has no name of its own.
pub(super) const DOCUMENT: &str = "/dev/stdin";
/// The free space that must be left, in bytes.
const PROBE_BYTES: usize = 64 * 1024;

/// Runs programs on a document, within the CPU time of all runs together.
pub(super) struct Runner<'a> {
    document: &'a File,
    limits: &'a Limits,
    started: Instant,
    cpu_seconds: u64,
}

impl<'a> Runner<'a> {
    pub(super) fn new(document: &'a File, limits: &'a Limits, cpu_seconds: u64) -> Self {
        Self {
            document,
            limits,
            started: Instant::now(),
            cpu_seconds,
        }
    }

    /// Runs a program to its end, and returns its output, too, from its start.
    ///
    /// # Errors
    /// The program is missing, a limit is reached, or the disk is full.
    pub(super) fn run(&self, name: &str, arguments: &[&str]) -> Result<(Finished, File), Failure> {
        let mut output = tempfile::tempfile_in(&self.limits.scratch).map_err(broken)?;
        // The time of an earlier run is measured by the clock, which is at least its CPU time.
        let used = self.started.elapsed().as_secs();
        let start = Start {
            name,
            arguments,
            input: self.document,
            cpu_seconds: self.cpu_seconds.saturating_sub(used).max(1),
        };
        let finished = programs::run(&start, &output)?;
        probe_space(&self.limits.scratch).map_err(broken)?;
        output.rewind().map_err(broken)?;
        Ok((finished, output))
    }
}

/// Fails if the disk is full. Poppler does not notice when its output cannot be written: an output
/// that the disk has cut off is like that of a damaged document.
fn probe_space(scratch: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(scratch)?;
    file.write_all(&[0; PROBE_BYTES])
}
