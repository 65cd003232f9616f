//! GetObject and HeadObject: a URL that reads one object, or one version of it, or its headers.
//!
//! Only `host` is signed: the client may send `Range` and conditions as it likes.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Error, PresignRequest, Presigned, Signer};
use crate::objects::credentials::Credentials;

/// What a URL that reads is for. A signature holds for one method only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReadMethod {
    /// The object.
    #[default]
    Get,
    /// Its headers.
    Head,
}

/// One object that a client may read.
#[derive(Debug, Clone, Copy)]
pub struct GetObject<'a> {
    /// The object's key.
    pub key: &'a str,
    /// How it is read.
    pub method: ReadMethod,
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
            method: ReadMethod::Get,
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
        let (method, operation) = match object.method {
            ReadMethod::Get => ("GET", Some("GetObject")),
            ReadMethod::Head => ("HEAD", None),
        };
        let request = PresignRequest {
            method,
            operation,
            key: object.key,
            headers: &[],
            query: &object.query(),
            expires_in,
        };
        self.presign(&request, credentials, now)
    }
}
