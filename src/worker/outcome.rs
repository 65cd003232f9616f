//! What an error means for a job: it fails for good, is tried again, or is given back.

use crate::processors::child::ChildError;
use crate::usecases::Error;
use crate::usecases::jobs::attempt::AttemptEnd;

/// The end of an attempt whose child has no result.
pub(super) fn of_child_error(error: ChildError) -> AttemptEnd {
    match error {
        ChildError::Failed(failure) if failure.is_permanent => AttemptEnd::Failed {
            message: format!("{} ({})", failure.message, failure.code),
            report: None,
        },
        ChildError::Failed(failure) => AttemptEnd::TryAgain {
            message: format!("{} ({})", failure.message, failure.code),
        },
        ChildError::Input(cause) => AttemptEnd::TryAgain {
            message: format!("The dataset could not be read: {cause}."),
        },
        ChildError::Start(cause) => {
            // The cause names files of this machine.
            log::error!("worker: a child process cannot be started: {cause}");
            AttemptEnd::TryAgain {
                message: "The worker could not start the processor.".to_owned(),
            }
        }
        ChildError::Stopped => AttemptEnd::GivenBack,
    }
}

/// The end of an attempt in which an operation failed. A refusal may end: a quota is raised, a tenant
/// is enabled. The text of a refusal is for its caller; the causes of other errors are only logged.
pub(super) fn of_error(error: &Error) -> AttemptEnd {
    AttemptEnd::TryAgain {
        message: error.to_string(),
    }
}

/// The end of an attempt whose child reported records that its processor does not have.
pub(super) fn of_invalid_records() -> AttemptEnd {
    AttemptEnd::Failed {
        message: "the processor has reported pages that a document cannot have (crashed)"
            .to_owned(),
        report: None,
    }
}
