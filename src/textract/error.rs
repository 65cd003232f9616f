//! What an error of Textract means.

use aws_sdk_textract::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// A call to Textract failed.
#[derive(Debug, thiserror::Error)]
#[error("Textract {operation} failed: {cause}")]
pub struct TextractError {
    /// What it means.
    pub kind: FaultKind,
    /// The code of the service, such as `ThrottlingException`; `no answer` if there was none.
    pub code: String,
    pub(super) operation: &'static str,
    pub(super) cause: String,
}

/// What an error means for the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Textract accepts no more at present. The same call will succeed later.
    Busy,
    /// The document cannot be read, and never will be.
    Document,
    /// The token was used with other parameters: a start needs another token.
    TokenUsed,
    /// The run does not exist, or its results are no longer kept.
    UnknownRun,
    /// The parameters are invalid. For a call with the token of a next answer: the token may be too
    /// old.
    Parameters,
    /// The call was refused for another reason, such as missing rights to the document.
    Refused,
    /// There was no answer, or a fault of the service.
    Unavailable,
}

impl TextractError {
    pub(super) fn new<E, R>(operation: &'static str, error: SdkError<E, R>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let code = match &error {
            SdkError::ServiceError(service) => service.err().code().map(str::to_owned),
            _ => None,
        };
        Self {
            kind: code.as_deref().map_or(FaultKind::Unavailable, kind_of),
            code: code.unwrap_or_else(|| "no answer".to_owned()),
            operation,
            cause: DisplayErrorContext(error).to_string(),
        }
    }
}

/// Source: <https://docs.aws.amazon.com/textract/latest/dg/API_StartDocumentTextDetection.html> and
/// `API_GetDocumentTextDetection`.
fn kind_of(code: &str) -> FaultKind {
    match code {
        "LimitExceededException"
        | "ProvisionedThroughputExceededException"
        | "ServiceQuotaExceededException"
        | "ThrottlingException" => FaultKind::Busy,
        "BadDocumentException" | "DocumentTooLargeException" | "UnsupportedDocumentException" => {
            FaultKind::Document
        }
        "IdempotentParameterMismatchException" => FaultKind::TokenUsed,
        "InvalidJobIdException" => FaultKind::UnknownRun,
        "InvalidParameterException" => FaultKind::Parameters,
        "InternalServerError" => FaultKind::Unavailable,
        _ => FaultKind::Refused,
    }
}
