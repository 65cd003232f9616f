//! The tasks of the janitor.

use std::fmt;
use std::str::FromStr;

/// One task of the janitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Checks whether the objects of uploads have arrived that no client acknowledges.
    Arrivals,
    /// Checks overdue Pending uploads.
    Overdue,
    /// Finishes interrupted deletes.
    Deletes,
    /// Checks deleted and cancelled uploads a final time, after their URL has expired.
    FinalChecks,
    /// Removes idempotency keys older than a day, and the counters of ended upload tokens.
    Keys,
    /// Removes events, uploads and audit rows whose retention time is over.
    Retention,
    /// Compares the buckets with the rows.
    Sweep,
    /// Aborts multipart uploads at S3 that no upload needs any more.
    StaleMultipart,
}

impl Task {
    /// Every task, in the order in which a round runs them.
    pub const ALL: [Self; 8] = [
        Self::Arrivals,
        Self::Overdue,
        Self::Deletes,
        Self::FinalChecks,
        Self::Keys,
        Self::Retention,
        Self::Sweep,
        Self::StaleMultipart,
    ];

    /// The name of the task on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arrivals => "arrivals",
            Self::Overdue => "overdue",
            Self::Deletes => "deletes",
            Self::FinalChecks => "last-looks",
            Self::Keys => "keys",
            Self::Retention => "retention",
            Self::Sweep => "sweep",
            Self::StaleMultipart => "stale-multipart",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Task {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let task = Self::ALL.into_iter().find(|task| task.as_str() == name);
        task.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            format!("expected one of {names}")
        })
    }
}
