//! The outcome of a copy.

/// The outcome of copying an object or a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The copy exists.
    Done,
    /// Nothing was copied: the source does not exist or has another ETag, or there is an object at
    /// the target that may not be replaced. After a lost answer that object may be the copy itself;
    /// a HEAD request shows whether it is.
    PreconditionFailed,
    /// Another write of the key was in progress.
    Conflict,
    /// The source is archived and has to be restored first.
    Archived,
    /// The multipart upload does not exist, or no longer. Only for parts.
    NoSuchUpload,
}

impl Copied {
    /// Interprets an error of the store that is an outcome and not a fault, by its code or else by
    /// its status. A response with status 200 may have an error in its body.
    pub(super) fn from_error(code: &str, status: Option<u16>) -> Option<Self> {
        match (code, status) {
            ("NoSuchBucket", _) => None,
            ("NoSuchUpload", _) => Some(Self::NoSuchUpload),
            ("InvalidObjectState", _) => Some(Self::Archived),
            ("PreconditionFailed" | "NoSuchKey", _) | (_, Some(404 | 412)) => {
                Some(Self::PreconditionFailed)
            }
            ("ConditionalRequestConflict" | "OperationAborted", _) => Some(Self::Conflict),
            _ => None,
        }
    }
}
