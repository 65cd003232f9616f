//! A writer that stops at a limit: for the outputs of a processor.

use std::io::{self, Write};

/// A writer that refuses to write more than a number of bytes.
pub(super) struct BoundedWriter<W> {
    inner: W,
    left: u64,
    is_exceeded: bool,
}

impl<W: Write> BoundedWriter<W> {
    /// Writes to `inner`, at most `bytes` bytes.
    pub(super) fn new(inner: W, bytes: u64) -> Self {
        Self {
            inner,
            left: bytes,
            is_exceeded: false,
        }
    }

    /// The writer behind this one.
    pub(super) fn get_ref(&self) -> &W {
        &self.inner
    }

    /// Whether more was to be written than is allowed.
    pub(super) fn is_exceeded(&self) -> bool {
        self.is_exceeded
    }
}

impl<W: Write> Write for BoundedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let allowed = bytes.get(..most).unwrap_or(bytes);
        if allowed.is_empty() && !bytes.is_empty() {
            self.is_exceeded = true;
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "the outputs are larger than the limit",
            ));
        }
        let written = self.inner.write(allowed)?;
        let written_bytes = u64::try_from(written).unwrap_or(self.left);
        self.left = self.left.saturating_sub(written_bytes);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_up_to_the_limit_and_refuses_the_next_byte() {
        let mut written = Vec::new();
        let mut writer = BoundedWriter::new(&mut written, 5);
        writer.write_all(b"12345").unwrap();
        writer.write_all(b"").unwrap();
        assert!(!writer.is_exceeded());
        let error = writer.write_all(b"6").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(writer.is_exceeded());
        assert_eq!(written, b"12345");
    }
}
