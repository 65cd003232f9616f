//! The states of an upload and the transitions between them.
//!
//! This is the only table of transitions. The store executes a transition as one compare-and-set
//! (`… WHERE status = ANY(from)`), so that of two concurrent callers only one makes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The status of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// The client has a URL, and nothing is proven yet.
    Pending,
    /// The object is proven to be in the bucket, as declared.
    Uploaded,
    /// A downstream system is processing the object.
    Processing,
    /// A downstream system has processed the object.
    Processed,
    /// The object does not match what was declared, or its processing failed.
    Error,
    /// No object arrived before the deadline.
    Expired,
    /// The client cancelled the upload.
    Cancelled,
    /// The object is being deleted.
    Deleting,
    /// The object was deleted.
    Deleted,
    /// A later upload to the same path replaced it.
    Superseded,
}

impl Status {
    /// Every status, in the order of the lifecycle.
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

    /// The name in JSON and in Postgres.
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

/// A transition between two states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The object was found and is as declared.
    Acknowledge,
    /// The object is not as declared, or there is a foreign object at its key.
    Fail,
    /// No object arrived before the deadline.
    Expire,
    /// The client cancelled the upload.
    Cancel,
    /// The object is about to be deleted.
    StartDelete,
    /// The object was deleted.
    FinishDelete,
    /// A later upload to the same path was acknowledged.
    Supersede,
    /// A job of the upload started to run.
    StartProcessing,
    /// All jobs of the upload have succeeded.
    FinishProcessing,
    /// A job of the upload has failed for good, and none is left to run.
    FailProcessing,
    /// The failed jobs of the upload are queued again.
    RetryProcessing,
}

impl Transition {
    /// Every transition.
    pub const ALL: [Self; 11] = [
        Self::Acknowledge,
        Self::Fail,
        Self::Expire,
        Self::Cancel,
        Self::StartDelete,
        Self::FinishDelete,
        Self::Supersede,
        Self::StartProcessing,
        Self::FinishProcessing,
        Self::FailProcessing,
        Self::RetryProcessing,
    ];

    /// The states that the transition may start from.
    ///
    /// `Fail` may start from `Expired`: a wrong object that arrives late must lead to a status from
    /// which it can be deleted, or it would block its path for ever.
    ///
    /// `StartProcessing` may start from `Processed`: another system may begin to process a dataset
    /// after all earlier jobs have succeeded.
    pub const fn from(self) -> &'static [Status] {
        match self {
            Self::Acknowledge | Self::Fail => &[Status::Pending, Status::Expired],
            Self::Expire | Self::Cancel => &[Status::Pending],
            Self::StartDelete => &[Status::Uploaded, Status::Processed, Status::Error],
            Self::FinishDelete => &[Status::Deleting],
            Self::Supersede => &[Status::Uploaded, Status::Processing, Status::Processed],
            Self::StartProcessing => &[Status::Uploaded, Status::Processed],
            Self::FinishProcessing | Self::FailProcessing => &[Status::Processing],
            Self::RetryProcessing => &[Status::Error],
        }
    }

    /// The status that the transition leads to.
    pub const fn to(self) -> Status {
        match self {
            Self::Acknowledge => Status::Uploaded,
            Self::Fail | Self::FailProcessing => Status::Error,
            Self::Expire => Status::Expired,
            Self::Cancel => Status::Cancelled,
            Self::StartDelete => Status::Deleting,
            Self::FinishDelete => Status::Deleted,
            Self::Supersede => Status::Superseded,
            Self::StartProcessing | Self::RetryProcessing => Status::Processing,
            Self::FinishProcessing => Status::Processed,
        }
    }

    /// Whether an upload in `status` may make this transition.
    pub fn allows(self, status: Status) -> bool {
        self.from().contains(&status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_names_round_trip() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert_eq!("pending".parse::<Status>(), Err(UnknownStatus));
    }

    #[test]
    fn no_transition_starts_from_its_own_target() {
        for transition in Transition::ALL {
            assert!(
                !transition.allows(transition.to()),
                "{transition:?} would run twice"
            );
        }
    }
}
