//! Why an object cannot be read.

use std::io;

use crate::objects::store::StoreError;

/// Why an object cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is another object at the key, or the object has another size.
    #[error("the object was replaced after it was proven")]
    Changed,
    /// There is no object at the key, or not in this version.
    #[error("the object was removed after it was proven")]
    Missing,
    /// The store does not answer, refuses the request, or answers with other bytes.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReadError {
    /// Whether the same request may succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Store(StoreError::Failed { .. }))
    }
}

/// The error of a stream of bytes; [`io::Error::get_ref`] returns the cause.
impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        let kind = match &error {
            ReadError::Missing => io::ErrorKind::NotFound,
            ReadError::Changed | ReadError::Store(_) => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
