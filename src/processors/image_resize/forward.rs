//! A reader for a decoder that demands to be able to seek, and never does.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// Reads forward only. An error of the reader itself has the kind `Other`, so that it is not taken
/// for the end of a file, which decoders report as an error, too.
pub(super) struct Forward<R>(pub(super) R);

impl<R: Read> Read for Forward<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(own)
    }
}

impl<R: BufRead> BufRead for Forward<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf().map_err(own)
    }

    fn consume(&mut self, read: usize) {
        self.0.consume(read);
    }
}

impl<R> Seek for Forward<R> {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

fn own(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::Interrupted => error,
        _ => io::Error::other(error),
    }
}
