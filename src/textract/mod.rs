//! The client of Amazon Textract, which detects the text of documents that are in S3.
//!
//! A run is asynchronous: [`Textract::start`] names an object and returns the id of the run;
//! [`Textract::fetch`] returns its results, a bounded number of lines with each answer, once it has
//! ended. A start with the same token returns the same run, which is paid for once.
//!
//! Textract reads the object itself, with the rights of the broker's role.
//!
//! Source: <https://docs.aws.amazon.com/textract/latest/dg/api-async.html>

mod answer;
mod client;
mod error;

pub use answer::{Answer, ResultPage};
pub use client::{Document, NotificationChannel, Textract};
pub use error::{FaultKind, TextractError};

/// The largest document that Textract reads, in bytes.
///
/// Source: <https://docs.aws.amazon.com/textract/latest/dg/limits-document.html>
pub const MAX_BYTES: u64 = 500 * 1024 * 1024;
/// The largest number of pages of a document that Textract reads.
pub const MAX_PAGES: u32 = 3_000;
