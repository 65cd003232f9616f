//! The output: CSV by RFC 4180, but with lines that end with LF.

use std::io::Write;

use super::failure::Failure;
use super::groups;
use super::key;
use super::layout::Cell;
use super::merge::Sink;
use super::number;

/// How much is collected before it is written: the output goes out in parts of about this size.
const BUFFER: usize = 64 << 10;

pub(super) struct CsvWriter<W> {
    output: W,
    buffer: Vec<u8>,
    /// A text of a key.
    text: Vec<u8>,
    scales: Vec<u8>,
    /// The names of the aggregates, for a failure.
    names: Vec<String>,
    pub(super) groups: u64,
    pub(super) bytes: u64,
}

impl<W: Write> CsvWriter<W> {
    /// Starts an output with its header. `scales` has the scale of each cell.
    pub(super) fn new(output: W, header: &[String], scales: Vec<u8>) -> Self {
        let (_, names) = header.split_at(header.len().saturating_sub(scales.len()));
        let names = names.to_vec();
        let (buffer, text) = (Vec::with_capacity(BUFFER + 4096), Vec::new());
        let mut writer = Self {
            output,
            buffer,
            text,
            scales,
            names,
            groups: 0,
            bytes: 0,
        };
        for (index, name) in header.iter().enumerate() {
            if index > 0 {
                writer.buffer.push(b',');
            }
            push_field(&mut writer.buffer, name.as_bytes());
        }
        writer.buffer.push(b'\n');
        writer
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.output
            .write_all(&self.buffer)
            .map_err(Failure::Write)?;
        self.bytes += u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
        self.buffer.clear();
        Ok(())
    }

    /// Writes the rest.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.flush()?;
        self.output.flush().map_err(Failure::Write)
    }
}

impl<W: Write> Sink<Vec<u8>> for CsvWriter<W> {
    fn emit(&mut self, key: &Vec<u8>, cells: &[Cell]) -> Result<(), Failure> {
        let mut rest = key.as_slice();
        loop {
            rest = key::split_text(rest, &mut self.text);
            push_field(&mut self.buffer, &self.text);
            if rest.is_empty() {
                break;
            }
            self.buffer.push(b',');
        }
        for (cell, scale) in cells.iter().zip(&self.scales) {
            self.buffer.push(b',');
            match cell {
                Cell::Count(count) => number::format(i128::from(*count), 0, &mut self.buffer),
                Cell::Number(Some(value)) => number::format(*value, *scale, &mut self.buffer),
                Cell::Text(Some(text)) => push_field(&mut self.buffer, text),
                Cell::Number(None) | Cell::Text(None) => {}
            }
        }
        self.buffer.push(b'\n');
        self.groups += 1;
        if self.buffer.len() >= BUFFER {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn overflow(&self, key: &Vec<u8>, index: usize) -> Failure {
        groups::overflow(&self.names, key, index)
    }
}

/// Appends a field, in quotes if it needs them. A byte-order mark at the start needs them, because a
/// reader would remove it from the start of the file.
fn push_field(out: &mut Vec<u8>, field: &[u8]) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if !field.iter().any(special) && !field.starts_with(b"\xef\xbb\xbf") {
        out.extend_from_slice(field);
        return;
    }
    out.push(b'"');
    for byte in field {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
