//! Records that only a full parser understands: doubled quotes, and text after a closing quote.
//!
//! `csv-core` parses one such record at a time. Its output is a copy without the quotes.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::row::Spans;

/// How many ends of fields are taken at once.
const ENDS: usize = 256;

pub(super) struct Quoted {
    reader: Reader,
    /// The fields of the record, one after the other.
    pub(super) output: Vec<u8>,
    ends: [usize; ENDS],
}

/// What the input starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A record of this many bytes, with its line end.
    Record(usize),
    /// A part of a record.
    Part,
    /// A record whose last quote is not closed before the end of the input.
    Unclosed,
}

impl Quoted {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            output: Vec::new(),
            ends: [0; ENDS],
        }
    }

    /// Parses the record at the start of the input. If `last`, no more input follows.
    pub(super) fn parse(&mut self, mut input: &[u8], last: bool, spans: &mut Spans) -> Parsed {
        let reader = &mut self.reader;
        reader.reset();
        // Only at its very start does it remove a byte-order mark, which belongs to the record here.
        reader.read_record(b"\n", &mut [], &mut []);
        let (mut read, mut written, mut start) = (0, 0, 0);
        let mut closing = false;
        spans.clear();
        loop {
            let output = self.output.get_mut(written..).unwrap_or(&mut []);
            let (result, used, filled, ends) = reader.read_record(input, output, &mut self.ends);
            written += filled;
            for end in self.ends.iter().take(ends) {
                spans.push(start, *end);
                start = *end;
            }
            if !closing {
                read += used;
            }
            input = input.get(used..).unwrap_or(&[]);
            match result {
                ReadRecordResult::Record => return Parsed::Record(read),
                ReadRecordResult::OutputFull => {
                    let size = (self.output.len() * 2).max(4096);
                    self.output.resize(size, 0);
                }
                ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::InputEmpty | ReadRecordResult::End if !last => {
                    return Parsed::Part;
                }
                // A line end ends the record, unless it is inside of quotes.
                ReadRecordResult::InputEmpty | ReadRecordResult::End if !closing => {
                    closing = true;
                    input = b"\n";
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Parsed::Unclosed,
            }
        }
    }
}
