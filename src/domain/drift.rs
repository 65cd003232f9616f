//! Drift: the object at the key of an upload is no longer the proven one.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// How the object has drifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Drift {
    /// There is no object at the key.
    Missing,
    /// There is an object with other bytes at the key.
    Replaced,
}

/// A drift and when it was detected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drifted {
    /// How the object has drifted.
    pub kind: Drift,
    /// When the drift was detected.
    pub at: DateTime<Utc>,
}

impl Drift {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Missing, Self::Replaced];

    /// The name in JSON and in Postgres.
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
