//! `textract`: can the text of documents be fetched from Textract?
//!
//! A start would cost money, so only a run is asked for that does not exist.

use super::context::CheckContext;
use super::verdict::Verdict;
use crate::textract::FaultKind;

/// A valid id of a run that does not exist.
const NO_RUN: &str = "0000000000000000000000000000000000000000000000000000000000000000";

pub(super) async fn check_textract(context: &CheckContext) -> Verdict {
    let Some(textract) = &context.textract else {
        return Verdict::ok("pdf-text uses the embedded engine");
    };
    let Err(error) = textract.fetch(NO_RUN, None).await else {
        return Verdict::unknown(
            "Textract has returned a run that does not exist",
            "check AWS_ENDPOINT_URL_TEXTRACT",
        );
    };
    match error.kind {
        FaultKind::UnknownRun => Verdict::ok(
            "Textract answers; whether it may be started was not tried, because that costs money",
        ),
        FaultKind::Busy => Verdict::warning(
            "Textract answers no more calls at present",
            "request a higher quota for GetDocumentTextDetection",
        ),
        FaultKind::Refused => Verdict::error(
            &error,
            "allow textract:GetDocumentTextDetection to the broker's role; see `doctor --policy`",
        ),
        _ => Verdict::error(
            &error,
            "check that AWS_REGION has Textract, AWS_ENDPOINT_URL_TEXTRACT and the network connection",
        ),
    }
}
