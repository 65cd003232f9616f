//! The parts of the janitor's work.

use std::fmt;
use std::str::FromStr;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Overdue Pending uploads.
    Overdue,
    /// Deletes that never ended.
    Deletes,
    /// Deleted and cancelled uploads, after the end of their URL.
    LastLooks,
    /// Idempotency keys past their day, and counts of upload tokens past theirs.
    Keys,
    /// Events, uploads and rows of the audit past their time.
    Retention,
    /// The comparison of the bucket with the rows.
    Sweep,
    /// Multipart uploads at S3 that nothing needs any more.
    StaleMultipart,
}

impl Part {
    /// Every part, in the order in which they are done.
    pub const ALL: [Self; 7] = [
        Self::Overdue,
        Self::Deletes,
        Self::LastLooks,
        Self::Keys,
        Self::Retention,
        Self::Sweep,
        Self::StaleMultipart,
    ];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Deletes => "deletes",
            Self::LastLooks => "last-looks",
            Self::Keys => "keys",
            Self::Retention => "retention",
            Self::Sweep => "sweep",
            Self::StaleMultipart => "stale-multipart",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|part| part.as_str() == name);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            format!("expected one of {names}")
        })
    }
}
