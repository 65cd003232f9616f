//! Writes the pages that a child has extracted to Postgres, a batch at a time.
//!
//! The records of a child are checked: its input might have taken control of it.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};

use serde_json::Value;

use super::Worker;
use crate::domain::document::{MAX_DOCUMENT_BYTES, MAX_PAGES, PageText};
use crate::domain::job::Job;
use crate::domain::path::DatasetPath;
use crate::processors::outputs::MAX_RECORD_BYTES;
use crate::usecases::documents::write::{self, BATCH_BYTES, BATCH_PAGES};
use crate::usecases::{Error, Result};

/// The outcome of writing pages.
pub(super) enum WrittenPages {
    /// All pages were written. The document has so many pages.
    All(u32),
    /// The lease was lost, and the work is to be dropped.
    LeaseLost,
    /// The records are not pages in their order: the processor has a bug, or its input has taken
    /// control of it.
    Invalid,
}

impl Worker {
    /// Writes the pages of a document, which nothing reads until the job has ended with success.
    pub(super) async fn write_pages(
        &self,
        job: &Job,
        path: &DatasetPath,
        records: File,
        report: &Value,
    ) -> Result<WrittenPages> {
        let Some(writing) = write::start(&self.broker, job, path).await? else {
            return Ok(WrittenPages::LeaseLost);
        };
        let mut records = PageRecords::new(records);
        loop {
            let read = move || {
                let batch = records.next_batch();
                (batch, records)
            };
            let read = tokio::task::spawn_blocking(read).await;
            let (batch, rest) = read.map_err(|cause| Error::Internal(cause.into()))?;
            records = rest;
            match batch {
                Ok(pages) if pages.is_empty() => break,
                Ok(pages) => {
                    if !writing.add(&pages).await? {
                        return Ok(WrittenPages::LeaseLost);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Ok(WrittenPages::Invalid);
                }
                Err(error) => return Err(Error::Internal(error.into())),
            }
        }
        Ok(match pages_of(report) {
            Some(pages) if pages >= records.last => WrittenPages::All(pages),
            _ => WrittenPages::Invalid,
        })
    }
}

/// The number of pages in the report of the processor.
fn pages_of(report: &Value) -> Option<u32> {
    let pages = u32::try_from(report.get("pages")?.as_u64()?).ok()?;
    (1..=MAX_PAGES).contains(&pages).then_some(pages)
}

/// Reads pages from records, which are lines of JSON.
struct PageRecords {
    source: BufReader<File>,
    /// The number of the last page.
    last: u32,
    /// The bytes of text that may follow.
    room: usize,
}

impl PageRecords {
    fn new(file: File) -> Self {
        Self {
            source: BufReader::new(file),
            last: 0,
            room: MAX_DOCUMENT_BYTES,
        }
    }

    /// Reads some pages; none at the end. The error for a record that is no page, or not in its
    /// place, is `InvalidData`.
    fn next_batch(&mut self) -> io::Result<Vec<PageText>> {
        let (mut pages, mut bytes) = (Vec::new(), 0);
        while pages.len() < BATCH_PAGES && bytes < BATCH_BYTES {
            let Some(page) = self.next_page()? else {
                break;
            };
            bytes += page.text.len();
            pages.push(page);
        }
        Ok(pages)
    }

    fn next_page(&mut self) -> io::Result<Option<PageText>> {
        let longest = u64::try_from(MAX_RECORD_BYTES).unwrap_or(u64::MAX);
        let mut line = Vec::new();
        let mut bounded = self.source.by_ref().take(longest.saturating_add(1));
        if bounded.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let page: PageText = serde_json::from_slice(&line)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let room = self.room.checked_sub(page.text.len());
        let Some(room) = room.filter(|_| page.is_valid() && page.page > self.last) else {
            let message = "a record is not the text of the next page";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        };
        (self.last, self.room) = (page.page, room);
        Ok(Some(page))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use serde_json::json;

    use super::*;

    fn read(records: &str) -> io::Result<Vec<u32>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(records.as_bytes()).unwrap();
        file.rewind().unwrap();
        let mut records = PageRecords::new(file);
        let mut numbers = Vec::new();
        loop {
            let batch = records.next_batch()?;
            if batch.is_empty() {
                return Ok(numbers);
            }
            assert!(batch.len() <= BATCH_PAGES);
            numbers.extend(batch.iter().map(|page| page.page));
        }
    }

    fn record(page: u32) -> String {
        format!("{}\n", json!({"page": page, "text": "a \"word\""}))
    }

    #[test]
    fn pages_are_read_in_batches() {
        let records: String = (1..=500).filter(|page| page % 7 != 0).map(record).collect();
        let expected: Vec<u32> = (1..=500).filter(|page| page % 7 != 0).collect();
        assert_eq!(read(&records).unwrap(), expected);
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn anything_else_than_the_next_page_is_refused() {
        for records in [
            record(0),
            record(MAX_PAGES + 1),
            record(2) + &record(2),
            record(2) + &record(1),
            "{\"page\":1}\n".to_owned(),
            "{\"page\":1,\"text\":\"a\\u0000\"}\n".to_owned(),
            "{\"page\":1,\"text\":\"a\\u0001\"}\n".to_owned(),
            "\n".to_owned(),
            record(1) + "{",
            format!(
                "{{\"page\":1,\"text\":\"{}\"}}\n",
                "x".repeat(MAX_RECORD_BYTES)
            ),
        ] {
            let error = read(&records).unwrap_err();
            let start: String = records.chars().take(40).collect();
            assert_eq!(
                error.kind(),
                io::ErrorKind::InvalidData,
                "{start}: {error:?}"
            );
        }
    }

    #[test]
    fn more_text_than_a_document_may_have_is_refused() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all((record(1) + &record(2)).as_bytes()).unwrap();
        file.rewind().unwrap();
        let length = "a \"word\"".len();
        let mut records = PageRecords {
            room: 2 * length - 1,
            ..PageRecords::new(file)
        };
        assert_eq!(records.next_page().unwrap().map(|page| page.page), Some(1));
        let error = records.next_page().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error:?}");
    }

    #[test]
    fn number_of_pages_is_that_of_the_report() {
        assert_eq!(pages_of(&json!({"pages": 12})), Some(12));
        for report in [
            json!({}),
            json!({"pages": 0}),
            json!({"pages": -1}),
            json!(3),
        ] {
            assert_eq!(pages_of(&report), None, "{report}");
        }
    }
}
