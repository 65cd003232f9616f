//! The detection of the text of a document by another service, which takes longer than an attempt at
//! a job.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

/// How far the detection for a job is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TextDetection {
    /// The number of the current or last run, from 1; 0 if none was started.
    pub starts: u32,
    /// The current run, if there is one.
    pub run: Option<DetectionRun>,
}

/// A run of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectionRun {
    /// The id that the service has given it.
    pub id: String,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// The number of answers whose text was fetched.
    pub answers: u32,
    /// The token of the next answer; `None` before the first one, and after the last one.
    pub next_answer: Option<String>,
    /// The number of pages of the document, once it is known.
    pub pages: Option<u32>,
    /// The pages that the service could not read.
    pub missing_pages: BTreeSet<u32>,
    /// Whether the text was fetched to its end.
    pub is_fetched: bool,
}

/// The lines of a page in an answer of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectedText {
    /// The number of the page, from 1.
    pub page: u32,
    /// The lines, each with a line feed at its end, and without form feeds and NUL.
    pub text: String,
}
