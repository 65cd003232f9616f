//! The states of an upload and the arrows between them.
//!
//! This is the only table of transitions. The store turns an arrow into one compare-and-set
//! (`… WHERE status = ANY(from)`), so two callers at once make one transition.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where an upload is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Promised: the client holds a URL, nothing is proven.
    Pending,
    /// Proven to be in the bucket, as declared.
    Uploaded,
    /// A downstream system works on it.
    Processing,
    /// A downstream system is done with it.
    Processed,
    /// What came is not what was declared, or processing failed.
    Error,
    /// Nothing came in time.
    Expired,
    /// The client took the promise back.
    Cancelled,
    /// Its object is being removed.
    Deleting,
    /// Its object is gone.
    Deleted,
    /// A later upload took its path.
    Superseded,
}

impl Status {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Uploaded,
        Self::Processing,
        Self::Processed,
        Self::Error,
        Self::Expired,
        Self::Cancelled,
        Self::Deleting,
        Self::Deleted,
        Self::Superseded,
    ];

    /// The name, as it stands in JSON and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Uploaded => "Uploaded",
            Self::Processing => "Processing",
            Self::Processed => "Processed",
            Self::Error => "Error",
            Self::Expired => "Expired",
            Self::Cancelled => "Cancelled",
            Self::Deleting => "Deleting",
            Self::Deleted => "Deleted",
            Self::Superseded => "Superseded",
        }
    }

    /// Whether the object of this upload is proven to be the dataset at its path.
    pub const fn is_acknowledged(self) -> bool {
        matches!(self, Self::Uploaded | Self::Processing | Self::Processed)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A status name that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(name: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == name)
            .ok_or(UnknownStatus)
    }
}

/// An arrow between states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The object is there and is what was declared.
    Acknowledge,
    /// The object is not what was declared, or another one stands in its place.
    Fail,
    /// Nothing came in time.
    Expire,
    /// The client took the promise back.
    Cancel,
    /// The object is about to be removed.
    StartDelete,
    /// The object is removed.
    FinishDelete,
    /// A later upload to the same path was acknowledged.
    Supersede,
}

impl Transition {
    /// Every arrow.
    pub const ALL: [Self; 7] = [
        Self::Acknowledge,
        Self::Fail,
        Self::Expire,
        Self::Cancel,
        Self::StartDelete,
        Self::FinishDelete,
        Self::Supersede,
    ];

    /// The states that it may start from.
    ///
    /// `Fail` may start from `Expired`: an object that came late and is wrong must end in a
    /// state that can be deleted, or it would block its path for ever.
    pub const fn from(self) -> &'static [Status] {
        match self {
            Self::Acknowledge | Self::Fail => &[Status::Pending, Status::Expired],
            Self::Expire | Self::Cancel => &[Status::Pending],
            Self::StartDelete => &[Status::Uploaded, Status::Processed, Status::Error],
            Self::FinishDelete => &[Status::Deleting],
            Self::Supersede => &[Status::Uploaded, Status::Processed],
        }
    }

    /// The state that it ends in.
    pub const fn to(self) -> Status {
        match self {
            Self::Acknowledge => Status::Uploaded,
            Self::Fail => Status::Error,
            Self::Expire => Status::Expired,
            Self::Cancel => Status::Cancelled,
            Self::StartDelete => Status::Deleting,
            Self::FinishDelete => Status::Deleted,
            Self::Supersede => Status::Superseded,
        }
    }

    /// Whether an upload in `status` may take this arrow.
    pub fn allows(self, status: Status) -> bool {
        self.from().contains(&status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert_eq!("pending".parse::<Status>(), Err(UnknownStatus));
    }

    #[test]
    fn no_arrow_is_a_loop() {
        for arrow in Transition::ALL {
            assert!(!arrow.allows(arrow.to()), "{arrow:?} would run twice");
        }
    }
}
