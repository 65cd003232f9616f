//! Drift: a proven object that is no longer what stands at its key.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// What became of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Drift {
    /// Nothing stands at the key.
    Missing,
    /// Other bytes do.
    Replaced,
}

/// A drift, and when it was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drifted {
    /// What became of the object.
    pub kind: Drift,
    /// When that was noticed.
    pub at: DateTime<Utc>,
}

impl Drift {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Missing, Self::Replaced];

    /// The name, as it stands in JSON and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Replaced => "replaced",
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
