//! The parts of reading records that few records need: reading on, odd records, and long ones.

use std::io::{self, Read};

use super::super::marks::PADDING;
use super::super::quoted::Parsed;
use super::{Fault, RECORD_CAP, Records, Step};

/// How much of a record that is too long is kept to be shown.
const KEPT: usize = 1024;

impl<R: Read> Records<R> {
    /// Reads on, after moving what is left of the buffer to its start.
    ///
    /// At least as much is read as was left, so that a long record is not scanned once for every
    /// small piece in which it comes.
    #[cold]
    pub(super) fn refill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.at..self.filled, 0);
        let left = self.filled - self.at;
        (self.at, self.filled) = (0, left);
        let room = self.buffer.len() - PADDING;
        if left > room / 2 {
            self.buffer.resize(room * 2 + PADDING, 0);
        }
        let room = self.buffer.len() - PADDING;
        while !self.ended && (self.filled == left || self.filled < left * 2) {
            let place = self.buffer.get_mut(self.filled..room).unwrap_or(&mut []);
            match self.input.read(place) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => {
                    let read = result?;
                    self.ended = read == 0;
                    self.filled += read;
                }
            }
        }
        self.marks.seek(0, &self.buffer, self.filled);
        Ok(())
    }

    /// Parses the record at `at` with `csv-core`. `None` if the buffer ends in it.
    pub(super) fn parse_odd(&mut self) -> Result<Option<Step>, Fault> {
        self.next_line = self.line;
        let input = self.buffer.get(self.at..self.filled).unwrap_or(&[]);
        let parsed = self.quoted.parse(input, self.ended, &mut self.spans);
        let (mut used, step) = match parsed {
            Parsed::Record(used) => (used, Step::Row),
            Parsed::Unclosed => (input.len(), Step::Unclosed),
            Parsed::Part => return Ok(None),
        };
        let mut end = used;
        if step == Step::Row {
            if input.get(used - 1) == Some(&b'\r') {
                if used == input.len() && !self.ended {
                    return Ok(None);
                }
                used += usize::from(input.get(used) == Some(&b'\n'));
                end -= 1;
            } else if input.get(used - 1) == Some(&b'\n') {
                end -= 1;
            }
        }
        if end > RECORD_CAP {
            return Err(Fault::OversizedQuoted);
        }
        self.next_line += count_lines(input.get(..used).unwrap_or(&[]));
        self.raw = (self.at, self.at + end);
        self.at += used;
        self.parsed = true;
        self.marks.seek(self.at, &self.buffer, self.filled);
        Ok(Some(step))
    }

    /// Skips the record at `at`, which is too long and has no quoted field so far.
    #[cold]
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        let record = self.buffer.get(self.at..self.filled).unwrap_or(&[]);
        let kept = record.get(..KEPT).unwrap_or(record).to_vec();
        let mut length = 0;
        let mut field = usize::MAX;
        self.marks.seek(self.at, &self.buffer, self.filled);
        loop {
            let end = self.end_of_long(&mut field)?;
            let until = end.unwrap_or(self.filled);
            length += until - self.at;
            self.at = until;
            let ended = self.ended && end.is_none();
            // A CR at the end of the buffer may be followed by an LF.
            if !ended && (end.is_none() || until + 1 == self.filled && !self.ended) {
                field = if field == until { 0 } else { usize::MAX };
                self.refill().map_err(Fault::Io)?;
                continue;
            }
            let rest = self.buffer.get(until..self.filled);
            self.at += match rest {
                Some([b'\r', b'\n', ..]) => 2,
                Some([_, ..]) => 1,
                _ => 0,
            };
            self.marks.seek(self.at, &self.buffer, self.filled);
            self.next_line = self.line + u64::from(!ended);
            self.oversized = (kept, u64::try_from(length).unwrap_or(u64::MAX));
            return Ok(());
        }
    }

    /// The end of a long record, if it is in the buffer. `field` is where its last field starts.
    fn end_of_long(&mut self, field: &mut usize) -> Result<Option<usize>, Fault> {
        while let Some(at) = self.marks.next(&self.buffer, self.filled) {
            match self.buffer.get(at) {
                Some(b'"') if at == *field => return Err(Fault::OversizedQuoted),
                Some(b'"') => {}
                Some(b'\n' | b'\r') => return Ok(Some(at)),
                _ => *field = at + 1,
            }
        }
        Ok(None)
    }
}

/// The number of line ends.
fn count_lines(bytes: &[u8]) -> u64 {
    let ends = bytes.iter().zip(bytes.iter().skip(1).chain([&0]));
    let ends = ends.filter(|(byte, next)| match byte {
        b'\n' => true,
        b'\r' => **next != b'\n',
        _ => false,
    });
    u64::try_from(ends.count()).unwrap_or(u64::MAX)
}
