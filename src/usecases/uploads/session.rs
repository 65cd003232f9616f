//! Sessions: uploads with the pre-signed URLs for their bytes.

use chrono::{DateTime, TimeDelta, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::abilities::{Ability, Support};
use crate::domain::bounds::capped_url_seconds;
use crate::domain::refusal::Refusal;
use crate::domain::upload::{Upload, WriteRule};
use crate::objects::ObjectStore;
use crate::objects::sign::{Checksum, Precondition, PutObject};
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::uploads::parts::sign::SignedParts;

/// An upload, with the URLs for its bytes if they were requested.
#[derive(Debug)]
pub struct Session {
    /// The upload.
    pub upload: Upload,
    /// Fresh URLs, if they were requested and the upload may have some.
    pub urls: Option<Urls>,
}

/// The URLs for the bytes of an upload.
#[derive(Debug)]
pub enum Urls {
    /// The URL for a single PUT.
    Put(SignedPut),
    /// The URLs of the first parts.
    Parts(Box<SignedParts>),
}

/// A pre-signed PUT. The URL is a credential: `Debug` hides it.
#[derive(Clone)]
pub struct SignedPut {
    /// The URL.
    pub url: String,
    /// The headers that must be sent with it, except those that a browser sets itself.
    pub headers: Vec<(&'static str, String)>,
    /// When the URL expires.
    pub expires_at: DateTime<Utc>,
    /// When the session ends. It may outlive the URL if the caller's credential ends earlier,
    /// because other callers of the tenant can request the URL again.
    pub(in crate::usecases) session_ends_at: DateTime<Utc>,
}

impl std::fmt::Debug for SignedPut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedPut")
            .field("url", &"***")
            .field("headers", &self.headers)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

impl Urls {
    /// When the URLs expire.
    pub fn expires_at(&self) -> DateTime<Utc> {
        match self {
            Self::Put(put) => put.expires_at,
            Self::Parts(parts) => parts.expires_at(),
        }
    }
}

/// The characters that are not escaped in the `k=v&k2=v2` form of `x-amz-tagging`.
const TAG: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl Broker {
    /// Signs the first URLs of a session. They live `lifetime` seconds, but no longer than the
    /// store's credentials and the caller, whose credential `ends_at`.
    pub(in crate::usecases) async fn sign(
        &self,
        upload: &Upload,
        lifetime: u32,
        ends_at: Option<DateTime<Utc>>,
    ) -> Result<Urls> {
        let seconds = capped_url_seconds(lifetime, ends_at, self.clock.now());
        Ok(match &upload.multipart {
            None => Urls::Put(self.sign_put(upload, seconds, lifetime).await?),
            Some(multipart) => Urls::Parts(Box::new(
                self.sign_first_parts(upload, multipart, seconds).await?,
            )),
        })
    }

    /// Signs a URL that lives `seconds`, for a session that lives `lifetime`, which is at least as
    /// long.
    async fn sign_put(&self, upload: &Upload, seconds: u32, lifetime: u32) -> Result<SignedPut> {
        let now = self.clock.now();
        let credentials = (self.stores.credentials.get(now).await)
            .map_err(|cause| Error::unavailable(Dependency::S3, cause))?;
        let mut id = id_buffer();
        let id = upload.id.hyphenated().encode_lower(&mut id);
        let tagging = tagging(upload);
        let bucket = self.bucket(&upload.bucket).await?;
        let object = PutObject {
            precondition: put_precondition(&bucket.objects, &upload.write).await?,
            ..as_object(upload, id, tagging.as_deref())
        };
        let put = (bucket.signer)
            .put_object(&object, seconds, &credentials, now)
            .map_err(|cause| Error::unavailable(Dependency::S3, cause))?;
        let expires_at = put.presigned.expires_at;
        let last = expires_at + TimeDelta::seconds(lifetime.saturating_sub(seconds).into());
        Ok(SignedPut {
            url: put.presigned.url,
            headers: (put.headers.into_iter())
                .map(|(name, value)| (name, value.into_owned()))
                .collect(),
            expires_at,
            session_ends_at: credentials.expires_at().map_or(last, |end| last.min(end)),
        })
    }
}

/// Converts an upload to the object of a PUT request.
pub(in crate::usecases) fn as_object<'a>(
    upload: &'a Upload,
    id: &'a str,
    tagging: Option<&'a str>,
) -> PutObject<'a> {
    let headers = &upload.headers;
    PutObject {
        key: &upload.key,
        content_type: &upload.declared.content_type,
        content_length: upload.declared.size,
        checksum: upload.declared.checksum.as_ref().map(|checksum| Checksum {
            header: checksum.algorithm().header(),
            value: checksum.value(),
        }),
        precondition: precondition(&upload.write),
        upload_id: id,
        cache_control: headers.cache_control.as_deref(),
        content_disposition: headers.content_disposition.as_deref(),
        content_encoding: headers.content_encoding.as_deref(),
        content_language: headers.content_language.as_deref(),
        storage_class: headers.storage_class.as_deref(),
        tagging,
        encryption: headers.encryption.as_ref(),
    }
}

/// Returns the precondition of a write rule.
pub(in crate::usecases) fn precondition(rule: &WriteRule) -> Precondition<'_> {
    match rule {
        WriteRule::CreateOnly => Precondition::Absent,
        WriteRule::Overwrite => Precondition::None,
        WriteRule::Replace { etag } => Precondition::Matches(etag),
    }
}

/// Returns the precondition of a single PUT that the store supports. An upload that replaces one
/// version is refused if the store cannot check that version.
pub(in crate::usecases) async fn put_precondition<'a>(
    objects: &ObjectStore,
    rule: &'a WriteRule,
) -> Result<Precondition<'a>> {
    let known = objects.abilities();
    match rule {
        WriteRule::Overwrite => Ok(Precondition::None),
        WriteRule::CreateOnly => Ok(match known.current().support(Ability::PutIfNoneMatch) {
            Support::No => Precondition::None,
            _ => Precondition::Absent,
        }),
        WriteRule::Replace { etag } => match known.support(Ability::PutIfMatch).await {
            Support::Yes => Ok(Precondition::Matches(etag)),
            Support::Unquoted => Ok(Precondition::Matches(etag.trim_matches('"'))),
            Support::No => Err(if_match_unsupported().into()),
            Support::Unknown => Err(Error::unavailable(
                Dependency::S3,
                "it is not known yet whether the store honours If-Match on PUT (put_if_match)",
            )),
        },
    }
}

fn if_match_unsupported() -> Refusal {
    Refusal::field(
        "/if_match",
        "is not supported for a single PUT: the store would overwrite any version. Send the bytes in parts (multipart), or omit it",
    )
}

/// A buffer on the stack for an id as text.
pub(in crate::usecases) const fn id_buffer() -> [u8; uuid::fmt::Hyphenated::LENGTH] {
    [0; uuid::fmt::Hyphenated::LENGTH]
}

pub(in crate::usecases) fn tagging(upload: &Upload) -> Option<String> {
    let pairs: Vec<_> = (upload.headers.tags.iter())
        .map(|(key, value)| {
            format!(
                "{}={}",
                utf8_percent_encode(key, TAG),
                utf8_percent_encode(value, TAG)
            )
        })
        .collect();
    (!pairs.is_empty()).then(|| pairs.join("&"))
}
