//! Splitting an input into records, without copying them.
//!
//! A record is a run of marks (see [`marks`](super::marks)) in one buffer. Quoted fields without a
//! doubled quote are cut out in place; a record that is odd in any other way goes through `csv-core`.
//! The result is the same as if every record did. A line ends with LF, CR LF or a lone CR; blank
//! lines are no records.
//!
//! A record has at most 1 MiB. A longer one is broken, and if it has a quoted field the input fails:
//! an unclosed quote would swallow all rows up to the next one. The buffer grows up to twice that.

mod refill;

use std::io::{self, Read};

use super::marks::{Marks, PADDING};
use super::quoted::Quoted;
use super::row::{Row, Spans};

/// The most bytes of a record.
pub const RECORD_CAP: usize = 1 << 20;

const BUFFER: usize = 128 << 10;

/// What [`Records::advance`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A record: see [`Records::row`].
    Row,
    /// A record without quoted fields that is too long.
    Oversized,
    /// A record whose quote is not closed before the end of the input.
    Unclosed,
    /// The end of the input.
    End,
}

/// Why an input cannot be read on.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    OversizedQuoted,
}

/// What [`Records::scan`] found.
enum Scan {
    /// A record that ends before the first position, the position of the next one, and whether it
    /// has a quoted field.
    Row(usize, usize, bool),
    /// The buffer ends in the record. Says whether it has a quoted field so far.
    Part(bool),
    /// A record that `csv-core` must parse.
    Odd,
    End,
}

pub(super) struct Records<R> {
    input: R,
    buffer: Vec<u8>,
    /// How many bytes of the buffer are data.
    filled: usize,
    /// Whether the input has ended.
    ended: bool,
    /// Where the next record starts.
    at: usize,
    marks: Marks,
    spans: Spans,
    quoted: Quoted,
    delimiter: u8,
    /// The line at which the current record starts, and the next one.
    line: u64,
    next_line: u64,
    /// The bytes of the current record, and whether its fields are in the output of `quoted`.
    raw: (usize, usize),
    parsed: bool,
    /// The start and the length of a record that is too long.
    pub(super) oversized: (Vec<u8>, u64),
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER + PADDING],
            filled: 0,
            ended: false,
            at: 0,
            marks: Marks::new(delimiter),
            spans: Spans::default(),
            quoted: Quoted::new(delimiter),
            delimiter,
            line: 1,
            next_line: 1,
            raw: (0, 0),
            parsed: false,
            oversized: (Vec::new(), 0),
        }
    }

    /// The line on which the current record starts, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The bytes of the current record, without its line end.
    pub(super) fn raw(&self) -> &[u8] {
        self.buffer.get(self.raw.0..self.raw.1).unwrap_or(&[])
    }

    /// The current record.
    #[inline]
    pub(super) fn row(&self) -> Row<'_> {
        let bytes = if self.parsed {
            &self.quoted.output
        } else {
            &self.buffer
        };
        Row {
            bytes,
            spans: &self.spans,
        }
    }

    /// Goes to the next record.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<Step, Fault> {
        loop {
            let quoted = match self.scan() {
                Scan::Row(end, next, _) if end - self.at <= RECORD_CAP => {
                    self.raw = (self.at, end);
                    self.at = next;
                    self.parsed = false;
                    return Ok(Step::Row);
                }
                Scan::Row(_, _, quoted) => quoted,
                Scan::Odd => match self.parse_odd()? {
                    Some(step) => return Ok(step),
                    None => true,
                },
                Scan::Part(quoted) => quoted,
                Scan::End if self.ended => return Ok(Step::End),
                Scan::End => false,
            };
            self.next_line = self.line;
            if self.filled - self.at > RECORD_CAP {
                if quoted {
                    return Err(Fault::OversizedQuoted);
                }
                self.skip()?;
                return Ok(Step::Oversized);
            }
            self.refill().map_err(Fault::Io)?;
        }
    }

    /// Finds the end of the record at `at`, and its fields.
    #[inline]
    fn scan(&mut self) -> Scan {
        let Self {
            buffer,
            marks,
            spans,
            ..
        } = self;
        let (filled, delimiter, ended) = (self.filled, self.delimiter, self.ended);
        let byte_at = |at: usize| buffer.get(at).copied().unwrap_or(0);
        spans.clear();
        self.line = self.next_line;
        let (mut field, mut quoted) = (self.at, false);
        loop {
            let Some(mut at) = marks.next(buffer, filled) else {
                if self.at == filled {
                    return Scan::End;
                }
                if !ended {
                    return Scan::Part(quoted);
                }
                spans.push(field, filled);
                return Scan::Row(filled, filled, quoted);
            };
            let mut byte = byte_at(at);
            if byte == delimiter {
                spans.push(field, at);
                field = at + 1;
                continue;
            }
            let mut end = at;
            if byte == b'"' {
                if at != field {
                    continue;
                }
                quoted = true;
                // To the closing quote. Lines are counted on the way.
                loop {
                    let Some(inner) = marks.next(buffer, filled) else {
                        return if ended { Scan::Odd } else { Scan::Part(true) };
                    };
                    match byte_at(inner) {
                        b'"' => {
                            end = inner;
                            break;
                        }
                        b'\n' if byte_at(inner - 1) != b'\r' => self.next_line += 1,
                        b'\r' => self.next_line += 1,
                        _ => {}
                    }
                }
                field += 1;
                at = end + 1;
                if at == filled {
                    if !ended {
                        return Scan::Part(true);
                    }
                    spans.push(field, end);
                    return Scan::Row(filled, filled, true);
                }
                byte = byte_at(at);
                if byte != delimiter && byte != b'\n' && byte != b'\r' {
                    return Scan::Odd;
                }
                // What follows the quote is a mark itself.
                marks.next(buffer, filled);
                if byte == delimiter {
                    spans.push(field, end);
                    field = at + 1;
                    continue;
                }
            }
            let mut next = at + 1;
            if byte == b'\r' {
                if next == filled && !ended {
                    return Scan::Part(quoted);
                }
                if next < filled && byte_at(next) == b'\n' {
                    marks.next(buffer, filled);
                    next += 1;
                }
            }
            self.next_line += 1;
            if at == self.at {
                self.at = next;
                self.line = self.next_line;
                field = next;
                continue;
            }
            spans.push(field, end);
            return Scan::Row(at, next, quoted);
        }
    }
}

#[cfg(test)]
mod tests;
