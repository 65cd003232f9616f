//! The outcome of a request that a store may refuse.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;

use crate::objects::store::{Answer, answer};

/// The outcome of a request that a store may refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request succeeded.
    Done,
    /// The condition of the request does not hold.
    ConditionFailed(Answer),
    /// The target does not exist.
    Missing(Answer),
    /// The role does not have the right for it, which says nothing about the store.
    Denied(Answer),
    /// The store does not support the request.
    Refused(Answer),
    /// The store answered with a temporary error, or not at all.
    Fault(Option<Answer>),
}

impl Outcome {
    pub(super) fn of<T, E>(result: &Result<T, SdkError<E, Response>>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        match result {
            Ok(_) => Self::Done,
            Err(error) => answer(error).map_or(Self::Fault(None), Self::from),
        }
    }

    /// Whether the store refused the request because of its condition.
    pub const fn is_condition_failed(&self) -> bool {
        matches!(self, Self::ConditionFailed(_))
    }

    /// Whether the answer says nothing about the abilities of the store.
    pub const fn is_inconclusive(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::Fault(_))
    }

    /// Describes the outcome: `412 PreconditionFailed`, `success`, `no answer`.
    pub fn summary(&self) -> String {
        match self {
            Self::Done => "success".to_owned(),
            Self::Fault(None) => "no answer".to_owned(),
            Self::ConditionFailed(answer)
            | Self::Missing(answer)
            | Self::Denied(answer)
            | Self::Refused(answer)
            | Self::Fault(Some(answer)) => answer.to_string(),
        }
    }
}

/// If the status is that of a success, the code decides: the response has an error in its body.
impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        match (answer.status, answer.code.as_str()) {
            (409 | 412, _) | (200..=299, "PreconditionFailed" | "ConditionalRequestConflict") => {
                Self::ConditionFailed(answer)
            }
            (401 | 403, _) => Self::Denied(answer),
            (404, _) => Self::Missing(answer),
            (408 | 425 | 429 | 500 | 502..=504, _) | (_, "RequestTimeout" | "SlowDown") => {
                Self::Fault(Some(answer))
            }
            _ => Self::Refused(answer),
        }
    }
}
