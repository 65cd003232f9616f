//! Signs a URL to read a dataset: a pre-signed GET or HEAD, which expires with the caller's
//! credential at the latest. The broker does not transfer the bytes.

use std::fmt;

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::bounds::capped_url_seconds;
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::objects::sign::GetObject;
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};

pub use crate::objects::sign::ReadMethod;

/// How a browser should treat the object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disposition {
    /// As the metadata of the object says.
    #[default]
    Stored,
    /// Display it.
    Inline,
    /// Save it under its file name.
    Attachment,
}

/// How a client wants to read a dataset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Whether to read the object or only its headers.
    pub method: ReadMethod,
    /// How a browser should treat the object.
    pub disposition: Disposition,
}

/// A pre-signed GET or HEAD. The URL is a credential: `Debug` hides it.
#[derive(Clone)]
pub struct SignedGet {
    /// The URL.
    pub url: String,
    /// When the URL expires.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for SignedGet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedGet")
            .field("url", &"***")
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// Signs a URL to read the object at a path. Refuses a path without an object.
pub async fn download(
    broker: &Broker,
    principal: &Principal,
    path: &DatasetPath,
    options: ReadOptions,
) -> Result<SignedGet> {
    let (key, _) = broker.find_object(principal, path).await?;
    broker.sign_get(principal, &key, path, options).await
}

impl Broker {
    pub(in crate::usecases) async fn sign_get(
        &self,
        principal: &Principal,
        key: &str,
        path: &DatasetPath,
        options: ReadOptions,
    ) -> Result<SignedGet> {
        let disposition = options.disposition.header(path);
        let object = GetObject {
            method: options.method,
            response_content_disposition: disposition.as_deref(),
            ..GetObject::new(key)
        };
        self.sign_read(principal, &object).await
    }

    /// Signs a GET of one version of an object; of the current one if there are no versions.
    pub(in crate::usecases) async fn sign_get_version(
        &self,
        principal: &Principal,
        key: &str,
        version_id: Option<&str>,
    ) -> Result<SignedGet> {
        let object = GetObject {
            version_id,
            ..GetObject::new(key)
        };
        self.sign_read(principal, &object).await
    }

    async fn sign_read(&self, principal: &Principal, object: &GetObject<'_>) -> Result<SignedGet> {
        let now = self.clock.now();
        let credentials = (self.stores.credentials.get(now).await)
            .map_err(|cause| Error::unavailable(Dependency::S3, cause))?;
        let seconds = self.limits(&principal.policy).url_seconds();
        let seconds = capped_url_seconds(seconds, principal.bounds.ends_at, now);
        let bucket = self.bucket_of(&principal.jail).await?;
        let signed = (bucket.signer)
            .get_object(object, seconds, &credentials, now)
            .map_err(|cause| Error::unavailable(Dependency::S3, cause))?;
        Ok(SignedGet {
            url: signed.url,
            expires_at: signed.expires_at,
        })
    }
}

/// The characters that RFC 8187 does not require to be escaped.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl Disposition {
    /// Returns the header value by RFC 6266: an ASCII name for old clients, and the real name for
    /// others.
    fn header(self, path: &DatasetPath) -> Option<String> {
        let kind = match self {
            Self::Stored => return None,
            Self::Inline => "inline",
            Self::Attachment => "attachment",
        };
        let name = path.as_str().rsplit('/').next().unwrap_or_default();
        let plain: String = (name.chars())
            .map(|c| {
                if matches!(c, ' '..='~') && !matches!(c, '"' | '\\') {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        let real = utf8_percent_encode(name, ATTRIBUTE);
        Some(format!(
            "{kind}; filename=\"{plain}\"; filename*=UTF-8''{real}"
        ))
    }
}
