//! Classifies an error of SNS: is the message invalid, or is the cause elsewhere (SNS itself, a
//! missing permission, the network)?
//!
//! In case of doubt the cause is elsewhere: then the message is sent again, and nothing is lost.
//! Throttling, missing permissions, a disabled KMS key and a missing topic are repaired by an operator
//! or by waiting.
//!
//! Source: <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html#API_PublishBatch_Errors>

use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata as _, SdkError};
use aws_sdk_sns::operation::publish_batch::PublishBatchError;
use aws_sdk_sns::types::BatchResultErrorEntry;

/// The error codes that mean that the message is invalid, now and at every later attempt.
const INVALID_MESSAGE_CODES: [&str; 7] = [
    "BatchRequestTooLong",
    "InvalidBatchEntryId",
    "InvalidParameter",
    "InvalidParameterValue",
    "ParameterValueInvalid",
    "ValidationError",
    "ValidationException",
];
/// The largest number of characters of a reason.
const MAX_REASON_CHARS: usize = 300;

/// Why SNS did not accept a call or an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The message is invalid.
    Message(String),
    /// The cause is elsewhere, and SNS may accept the same message later.
    Service(String),
}

/// Classifies the error of a whole call.
pub(super) fn of_call(error: SdkError<PublishBatchError>) -> Refusal {
    if let Some(code) = error.code() {
        let reason = cut(&format!("{code}: {}", error.message().unwrap_or_default()));
        return of_code(code, reason);
    }
    Refusal::Service(cut(&DisplayErrorContext(error).to_string()))
}

/// Classifies the error of one entry, in the response to a call that succeeded.
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
    if INVALID_MESSAGE_CODES.contains(&code) {
        Refusal::Message(reason)
    } else {
        Refusal::Service(reason)
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_REASON_CHARS).collect()
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
    fn only_invalid_message_codes_with_sender_fault_are_permanent() {
        let is_permanent = |refusal| matches!(refusal, Refusal::Message(_));
        assert!(is_permanent(entry("InvalidParameter", true)));
        assert!(!is_permanent(entry("InvalidParameter", false)));
        for code in ["AuthorizationError", "KMSDisabled", "Throttled", "NotFound"] {
            assert!(!is_permanent(entry(code, true)), "{code}");
        }
    }

    #[test]
    fn cut_limits_the_number_of_characters() {
        assert_eq!(cut(&"ü".repeat(1_000)).chars().count(), MAX_REASON_CHARS);
    }
}
