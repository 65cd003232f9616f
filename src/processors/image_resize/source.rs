//! The bytes of an image, from the start of which its format follows.

use std::io::{self, BufReader, Chain, Cursor, Read};

use super::failure::Failure;
use super::format::{Format, SNIFFED_BYTES};

/// How much of a file is read at a time, in bytes.
const BUFFER_BYTES: usize = 128 * 1024;

/// An image to be read.
pub struct Input<R> {
    /// Its bytes.
    pub reader: R,
    /// Their number, if it is known.
    pub size: Option<u64>,
}

/// The bytes of a file.
pub(super) struct Source<R> {
    reader: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    /// The size of the file, if it is known.
    size: Option<u64>,
    /// The largest number of bytes that may be kept.
    memory_bytes: u64,
}

impl<R: Read> Source<R> {
    /// Reads the start of a file, and decides by that which format it has.
    pub(super) fn open(input: Input<R>, memory_bytes: u64) -> Result<(Format, Self), Failure> {
        let mut reader = input.reader;
        let mut start = Vec::with_capacity(SNIFFED_BYTES);
        let first = u64::try_from(SNIFFED_BYTES).unwrap_or(u64::MAX);
        let read = reader.by_ref().take(first).read_to_end(&mut start);
        read.map_err(Failure::Read)?;
        let format = Format::of(&start)?;
        let chained = Cursor::new(start).chain(reader);
        let source = Self {
            reader: BufReader::with_capacity(BUFFER_BYTES, chained),
            size: input.size,
            memory_bytes,
        };
        Ok((format, source))
    }

    /// Reads the whole file. Nothing is read of a file that is known to be too large for that.
    pub(super) fn read_all(mut self) -> Result<Vec<u8>, Failure> {
        if let Some(size) = self.size.filter(|size| *size > self.memory_bytes) {
            return Err(self.too_large(size));
        }
        let expected = self.size.and_then(|size| usize::try_from(size).ok());
        let mut bytes = Vec::with_capacity(expected.unwrap_or_default());
        let most = self.memory_bytes.saturating_add(1);
        let read = self.reader.by_ref().take(most).read_to_end(&mut bytes);
        read.map_err(Failure::Read)?;
        bytes.shrink_to_fit();
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match size > self.memory_bytes {
            true => Err(self.too_large(size)),
            false => Ok(bytes),
        }
    }

    /// The reader from the start of the file.
    pub(super) fn into_reader(self) -> impl io::BufRead {
        self.reader
    }

    fn too_large(&self, needed: u64) -> Failure {
        Failure::TooLarge {
            needed,
            allowed: self.memory_bytes,
        }
    }
}
