//! Finding the bytes that structure a record: delimiters, line ends and quotes.
//!
//! A block of 64 bytes is compared as a whole, and gives one bit a byte. Most bytes of a file are
//! then never looked at one by one.

/// The bytes of a block.
const BLOCK: usize = 64;

/// How many bytes must lie behind the data in a buffer, so that the last block can be read.
pub(super) const PADDING: usize = BLOCK;

/// The marks of a buffer that are not passed yet.
pub(super) struct Marks {
    delimiter: u8,
    /// The bits of the marks in the block at `base`.
    mask: u64,
    base: usize,
}

impl Marks {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            mask: 0,
            base: 0,
        }
    }

    /// Goes to a position of the buffer, of which `filled` bytes are data.
    #[inline]
    pub(super) fn seek(&mut self, at: usize, buffer: &[u8], filled: usize) {
        self.base = at;
        self.mask = self.block(buffer, filled);
    }

    /// The position of the next mark. `None` if no mark is left; more data and a
    /// [`seek`](Self::seek) must then follow.
    #[inline]
    pub(super) fn next(&mut self, buffer: &[u8], filled: usize) -> Option<usize> {
        while self.mask == 0 {
            self.base += BLOCK;
            if self.base >= filled {
                return None;
            }
            self.mask = self.block(buffer, filled);
        }
        let bit = usize::try_from(self.mask.trailing_zeros()).unwrap_or(0);
        self.mask &= self.mask - 1;
        Some(self.base + bit)
    }

    #[inline]
    fn block(&self, buffer: &[u8], filled: usize) -> u64 {
        let block = buffer.get(self.base..).and_then(<[u8]>::first_chunk);
        let mask = block.map_or(0, |block| find(block, self.delimiter));
        match filled.saturating_sub(self.base) {
            // What lies behind the data is left over from earlier.
            left @ 0..BLOCK => mask & ((1 << left) - 1),
            _ => mask,
        }
    }
}

/// The bits of the marks in a block. The compiler turns the first loop into vector instructions.
#[inline]
fn find(block: &[u8; BLOCK], delimiter: u8) -> u64 {
    let mut flags = [0_u8; BLOCK];
    for (flag, byte) in flags.iter_mut().zip(block) {
        let field = (*byte == delimiter) | (*byte == b'"');
        let line = (*byte == b'\n') | (*byte == b'\r');
        *flag = u8::from(field | line);
    }
    let mut mask = 0;
    for (index, flags) in flags.as_chunks().0.iter().enumerate() {
        // The product has the eight flags side by side in its uppermost byte.
        let bits = u64::from_le_bytes(*flags).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= bits << (index * 8);
    }
    mask
}

#[cfg(test)]
mod tests;
