//! The document in a temporary file.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

use super::failure::{broken, not_recognized};
use crate::processors::limits::Limits;
use crate::processors::processor::Failure;

/// How far from the start the header of a PDF may be, in bytes: readers accept text before it.
const HEADER_BYTES: usize = 1_024;
const HEADER: &[u8] = b"%PDF-";

/// A document. Its file has no name, and goes when it is closed.
#[derive(Debug)]
pub(super) struct Document(File);

impl Document {
    /// Copies a document to a temporary file.
    ///
    /// # Errors
    /// It is larger than temporary files may be, it is no PDF, or the copy fails.
    pub(super) fn copy(mut input: impl Read, limits: &Limits) -> Result<Self, Failure> {
        let mut file = tempfile::tempfile_in(&limits.scratch).map_err(broken)?;
        // A larger file would end this process by a signal.
        let mut bounded = input.by_ref().take(limits.spill_bytes);
        let size = io::copy(&mut bounded, &mut file).map_err(broken)?;
        if input.read(&mut [0]).map_err(broken)? > 0 {
            let limit = limits.spill_bytes;
            let message = format!("the PDF is larger than the {limit} bytes of temporary files");
            return Err(Failure::permanent("spill-limit", message));
        }
        if size == 0 {
            return Err(not_recognized("the file is empty"));
        }
        let document = Self(file);
        match document.has_header().map_err(broken)? {
            true => Ok(document),
            false => Err(not_recognized(
                "the file is not a PDF: it has no header %PDF-",
            )),
        }
    }

    /// The file. Its position has no meaning: programs open it again.
    pub(super) fn file(&self) -> &File {
        &self.0
    }

    fn has_header(&self) -> io::Result<bool> {
        let mut start = [0; HEADER_BYTES];
        let mut length = 0;
        while let Some(rest) = start.get_mut(length..).filter(|rest| !rest.is_empty()) {
            let offset = u64::try_from(length).map_err(io::Error::other)?;
            match self.0.read_at(rest, offset)? {
                0 => break,
                read => length += read,
            }
        }
        Ok(start.windows(HEADER.len()).any(|part| part == HEADER))
    }
}
