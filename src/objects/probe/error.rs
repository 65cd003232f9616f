//! Errors of probes.

use crate::objects::sign;
use crate::objects::store::StoreError;

/// Why a probe has no result.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No URL could be signed.
    #[error("cannot sign a URL")]
    Sign(#[from] sign::Error),
    /// The store did not answer a plain HTTP request. This says nothing about the URL.
    #[error("the store does not answer a plain HTTP request: {0}")]
    Http(String),
    /// A call of the SDK failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The probe was stopped, and did not send the request.
    #[error("interrupted")]
    Stopped,
}
