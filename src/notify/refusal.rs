//! What an error of SNS says: is it the message, or is it SNS (or our rights, or the network)?
//!
//! In doubt it is not the message: that is tried again, and nothing is lost. Throttling, missing
//! rights, a key of KMS that is disabled, a topic that is not there: an operator or time heals
//! them.
//!
//! Source: <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html#API_PublishBatch_Errors>

use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata as _, SdkError};
use aws_sdk_sns::operation::publish_batch::PublishBatchError;
use aws_sdk_sns::types::BatchResultErrorEntry;

/// Codes that blame what was sent, the same today and tomorrow.
const OF_THE_MESSAGE: [&str; 7] = [
    "BatchRequestTooLong",
    "InvalidBatchEntryId",
    "InvalidParameter",
    "InvalidParameterValue",
    "ParameterValueInvalid",
    "ValidationError",
    "ValidationException",
];
/// What of a reason is kept, in characters.
const REASON: usize = 300;

/// Why a call, or an entry, was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// What was sent is at fault.
    Message(String),
    /// Something else is: the same may be taken later.
    Service(String),
}

/// Of a call as a whole.
pub(super) fn of_call(error: SdkError<PublishBatchError>) -> Refusal {
    if let Some(code) = error.code() {
        let reason = cut(&format!("{code}: {}", error.message().unwrap_or_default()));
        return of_code(code, reason);
    }
    Refusal::Service(cut(&DisplayErrorContext(error).to_string()))
}

/// Of one entry in a call that was taken.
pub(super) fn of_entry(entry: &BatchResultErrorEntry) -> Refusal {
    let message = entry.message().unwrap_or("no reason given");
    let reason = cut(&format!("{}: {message}", entry.code()));
    if entry.sender_fault() {
        of_code(entry.code(), reason)
    } else {
        Refusal::Service(reason)
    }
}

fn of_code(code: &str, reason: String) -> Refusal {
    if OF_THE_MESSAGE.contains(&code) {
        Refusal::Message(reason)
    } else {
        Refusal::Service(reason)
    }
}

fn cut(text: &str) -> String {
    text.chars().take(REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(code: &str, sender_fault: bool) -> Refusal {
        let entry = BatchResultErrorEntry::builder().id("a").code(code);
        let entry = entry.sender_fault(sender_fault).build();
        of_entry(&entry.expect("an entry"))
    }

    #[test]
    fn only_what_blames_the_message_is_for_ever() {
        let for_ever = |refusal| matches!(refusal, Refusal::Message(_));
        assert!(for_ever(entry("InvalidParameter", true)));
        assert!(!for_ever(entry("InvalidParameter", false)));
        for code in ["AuthorizationError", "KMSDisabled", "Throttled", "NotFound"] {
            assert!(!for_ever(entry(code, true)), "{code}");
        }
    }

    #[test]
    fn a_long_reason_is_cut() {
        assert_eq!(cut(&"ü".repeat(1_000)).chars().count(), REASON);
    }
}
