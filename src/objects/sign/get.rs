//! GetObject: a URL that reads one object, or one version of it.
//!
//! Only `host` is signed: the client may send `Range` and conditions as it likes.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Error, PresignRequest, Presigned, Signer};
use crate::objects::credentials::Credentials;

/// One object that a client may GET.
#[derive(Debug, Clone, Copy)]
pub struct GetObject<'a> {
    /// The object's key.
    pub key: &'a str,
    /// The version; without it the current one.
    pub version_id: Option<&'a str>,
    /// What S3 shall answer as `Content-Disposition`.
    pub response_content_disposition: Option<&'a str>,
    /// What S3 shall answer as `Content-Type`.
    pub response_content_type: Option<&'a str>,
}

impl<'a> GetObject<'a> {
    /// The current version, answered with the headers that it was written with.
    #[must_use]
    pub fn new(key: &'a str) -> Self {
        Self {
            key,
            version_id: None,
            response_content_disposition: None,
            response_content_type: None,
        }
    }

    /// The query parameters, in the order of their names.
    fn query(&self) -> Vec<(&'static str, &'a str)> {
        [
            (
                "response-content-disposition",
                self.response_content_disposition,
            ),
            ("response-content-type", self.response_content_type),
            ("versionId", self.version_id),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

impl Signer {
    /// Signs a URL that reads `object` until `expires_in` seconds from `now` or the end of the
    /// credentials.
    ///
    /// # Errors
    /// As [`Signer::presign`].
    pub fn get_object(
        &self,
        object: &GetObject<'_>,
        expires_in: u32,
        credentials: &Arc<Credentials>,
        now: DateTime<Utc>,
    ) -> Result<Presigned, Error> {
        let request = PresignRequest {
            method: "GET",
            operation: Some("GetObject"),
            key: object.key,
            headers: &[],
            query: &object.query(),
            expires_in,
        };
        self.presign(&request, credentials, now)
    }
}
