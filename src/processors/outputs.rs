//! The outputs of a processor on its standard output: results, which become datasets, and records,
//! which are for the database.
//!
//! The bytes of the results follow each other without any framing, so that a person can write the
//! only result of a processor to a file. The records come last, each a line of JSON. Where each
//! result begins is in the report (see [`report`](super::report)).
//!
//! | Fault | What happens |
//! |---|---|
//! | more bytes than the limit, of all outputs together | an error; [`Outputs::is_exceeded`] says so afterwards |
//! | bytes before the first result, a result twice, too many results | an error: the processor has a bug |
//! | the disk is full | an error |

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write};

use serde::{Deserialize, Serialize};

use super::bounded_writer::BoundedWriter;
use super::limits::Limits;
use super::result_type::{ResultType, is_result_name};
use crate::domain::job::MAX_OUTPUTS;

/// The largest record as JSON, in bytes.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;
/// The size of the buffer of the results.
const BUFFER_BYTES: usize = 256 * 1024;

/// Takes the outputs of a processor. As a writer, it takes the bytes of the result that was started
/// last.
pub struct Outputs<'a> {
    writer: BoundedWriter<BufWriter<Box<dyn Write + 'a>>>,
    results: Vec<WrittenResult>,
    /// The records so far, in a temporary file without a name.
    records: Option<BoundedWriter<BufWriter<File>>>,
    limits: &'a Limits,
}

/// What a processor has written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The results, in their order.
    pub results: Vec<WrittenResult>,
    /// The size of all records in bytes.
    pub records_size: u64,
}

/// A result that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenResult {
    /// The extension of its type.
    pub extension: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its size in bytes.
    pub size: u64,
}

impl<'a> Outputs<'a> {
    /// Writes all outputs to `writer`, within the limits.
    pub fn new(writer: impl Write + 'a, limits: &'a Limits) -> Self {
        let writer: Box<dyn Write + 'a> = Box::new(writer);
        let buffered = BufWriter::with_capacity(BUFFER_BYTES, writer);
        Self {
            writer: BoundedWriter::new(buffered, limits.output_bytes),
            results: Vec::new(),
            records: None,
            limits,
        }
    }

    /// Starts a result, and ends the one before. Results of the same type need different names.
    ///
    /// # Errors
    /// The name is not valid, there is such a result already, or there are too many.
    pub fn start(&mut self, result: &ResultType, name: Option<&str>) -> io::Result<()> {
        let is_known = (self.results.iter())
            .any(|known| known.extension == result.extension && known.name.as_deref() == name);
        if is_known || name.is_some_and(|name| !is_result_name(name)) {
            return Err(misused("the name of a result is invalid or used twice"));
        }
        if self.results.len() >= MAX_OUTPUTS {
            return Err(misused("there are too many results"));
        }
        self.results.push(WrittenResult {
            extension: result.extension.to_owned(),
            name: name.map(str::to_owned),
            size: 0,
        });
        Ok(())
    }

    /// Adds a record, at any time. All records are kept in a temporary file until the end.
    ///
    /// # Errors
    /// The record is larger than [`MAX_RECORD_BYTES`], or the temporary file cannot be written.
    pub fn add_record(&mut self, record: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(record).map_err(io::Error::other)?;
        if line.len() > MAX_RECORD_BYTES {
            return Err(misused("a record is too large"));
        }
        line.push(b'\n');
        let records = match self.records.take() {
            Some(records) => records,
            None => {
                let file = tempfile::tempfile_in(&self.limits.scratch)?;
                let buffered = BufWriter::with_capacity(BUFFER_BYTES, file);
                BoundedWriter::new(buffered, self.limits.spill_bytes)
            }
        };
        self.records.insert(records).write_all(&line)
    }

    /// Whether more was to be written than is allowed.
    pub fn is_exceeded(&self) -> bool {
        let records = self.records.as_ref();
        self.writer.is_exceeded() || records.is_some_and(BoundedWriter::is_exceeded)
    }

    /// Writes the records after the results, and returns where everything is. Nothing must be
    /// written after this.
    ///
    /// # Errors
    /// The records do not fit into the limit, or a file cannot be read or written.
    pub fn finish(&mut self) -> io::Result<Written> {
        let mut records_size = 0;
        if let Some(records) = &mut self.records {
            records.flush()?;
            let mut file = records.get_ref().get_ref();
            file.rewind()?;
            records_size = io::copy(&mut file, &mut self.writer)?;
        }
        self.writer.flush()?;
        Ok(Written {
            results: self.results.clone(),
            records_size,
        })
    }
}

impl Write for Outputs<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let current = self.results.last_mut();
        let current = current.ok_or_else(|| misused("no result was started"))?;
        let written = self.writer.write(bytes)?;
        let written_bytes = u64::try_from(written).map_err(io::Error::other)?;
        current.size = current.size.saturating_add(written_bytes);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn misused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: ResultType = ResultType {
        kind: "text",
        extension: "txt",
        content_type: "text/plain",
    };
    const TABLE: ResultType = ResultType {
        kind: "table",
        extension: "csv",
        content_type: "text/csv",
    };

    fn limits(output_bytes: u64, spill_bytes: u64) -> Limits {
        Limits {
            memory_bytes: 1 << 20,
            output_bytes,
            spill_bytes,
            scratch: std::env::temp_dir(),
        }
    }

    fn result(extension: &str, name: Option<&str>, size: u64) -> WrittenResult {
        WrittenResult {
            extension: extension.to_owned(),
            name: name.map(str::to_owned),
            size,
        }
    }

    #[test]
    fn results_follow_each_other_and_records_come_last() {
        let (limits, mut bytes) = (limits(100, 100), Vec::new());
        let mut outputs = Outputs::new(&mut bytes, &limits);
        outputs.start(&TEXT, Some("small")).unwrap();
        outputs.write_all(b"one").unwrap();
        outputs.add_record(&json!({"page": 1})).unwrap();
        outputs.write_all(b"two").unwrap();
        outputs.start(&TABLE, None).unwrap();
        outputs.start(&TEXT, None).unwrap();
        outputs.write_all(b"three").unwrap();
        outputs.add_record(&"line\nline").unwrap();
        let written = outputs.finish().unwrap();
        drop(outputs);
        assert_eq!(bytes, b"onetwothree{\"page\":1}\n\"line\\nline\"\n");
        let results = vec![
            result("txt", Some("small"), 6),
            result("csv", None, 0),
            result("txt", None, 5),
        ];
        assert_eq!(written.results, results);
        assert_eq!(written.records_size, 24);
    }

    #[test]
    fn limit_applies_to_all_outputs_together() {
        let limits = limits(10, 5);
        let mut outputs = Outputs::new(io::sink(), &limits);
        outputs.start(&TEXT, Some("a")).unwrap();
        outputs.write_all(b"12345").unwrap();
        outputs.start(&TEXT, Some("b")).unwrap();
        outputs.write_all(b"1234").unwrap();
        outputs.add_record(&1).unwrap();
        assert!(!outputs.is_exceeded());
        let error = outputs.finish().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(outputs.is_exceeded());
        // The temporary file has its own limit.
        let mut outputs = Outputs::new(io::sink(), &limits);
        outputs.add_record(&12_345).unwrap_err();
        assert!(outputs.is_exceeded());
    }

    #[test]
    fn misuse_is_an_error() {
        let limits = limits(1 << 30, 1 << 30);
        let mut outputs = Outputs::new(io::sink(), &limits);
        outputs.write_all(b"early").unwrap_err();
        outputs.start(&TEXT, Some("../x")).unwrap_err();
        outputs.start(&TEXT, Some("a")).unwrap();
        outputs.start(&TEXT, Some("a")).unwrap_err();
        outputs.start(&TABLE, Some("a")).unwrap();
        for number in outputs.results.len()..MAX_OUTPUTS {
            outputs.start(&TEXT, Some(&number.to_string())).unwrap();
        }
        outputs.start(&TEXT, None).unwrap_err();
        let record = "x".repeat(MAX_RECORD_BYTES);
        outputs.add_record(&record).unwrap_err();
        assert!(!outputs.is_exceeded());
    }
}
