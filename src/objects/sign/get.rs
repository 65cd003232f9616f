//! GetObject and HeadObject: URLs that read an object, a version of an object, or its headers.
//!
//! Only `host` is signed, so the client may send `Range` and conditional headers.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::error::Error;
use super::presign::PresignRequest;
use super::presigned::Presigned;
use super::signer::Signer;
use crate::objects::credentials::Credentials;

/// The method of a URL that reads. A signature is valid for one method only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReadMethod {
    /// Reads the object.
    #[default]
    Get,
    /// Reads its headers.
    Head,
}

/// An object that a client may read.
#[derive(Debug, Clone, Copy)]
pub struct GetObject<'a> {
    /// The key of the object.
    pub key: &'a str,
    /// The method.
    pub method: ReadMethod,
    /// The version; `None` for the current one.
    pub version_id: Option<&'a str>,
    /// The `Content-Disposition` of the response.
    pub response_content_disposition: Option<&'a str>,
    /// The `Content-Type` of the response.
    pub response_content_type: Option<&'a str>,
}

impl<'a> GetObject<'a> {
    /// Reads the current version, with the headers that it was written with.
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
    /// Signs a URL that reads `object`. It is valid for `expires_in` seconds from `now`, but not
    /// longer than the credentials.
    ///
    /// # Errors
    /// As for [`Signer::presign`].
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
