//! What a store answers to a call that it may refuse.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;

use crate::objects::store::{Answer, answer};

/// What a store answered to a call that it may refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what was asked.
    Done,
    /// The condition of the call does not hold.
    ConditionFailed(Answer),
    /// There is no such thing.
    Missing(Answer),
    /// The role may not do this, which says nothing of the store.
    Denied(Answer),
    /// It takes no such call.
    Refused(Answer),
    /// A fault, or no answer at all.
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

    /// Whether the store held the call to its condition.
    pub const fn is_held(&self) -> bool {
        matches!(self, Self::ConditionFailed(_))
    }

    /// Whether the answer says nothing of what the store can do.
    pub const fn is_mute(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::Fault(_))
    }

    /// For people: `412 PreconditionFailed`, `success`, `no answer`.
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

/// By the code where the status is that of a success: the error stands in the body then.
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
