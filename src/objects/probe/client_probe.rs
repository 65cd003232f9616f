//! A probe that writes as a client does, with pre-signed URLs over plain HTTP.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::ability_probe::AbilityProbe;
use super::artifacts::ProbeArtifacts;
use super::error::ProbeError;
use super::plain_http::{Answer, PlainHttp};
use crate::domain::checksum::Checksum;
use crate::objects::credentials::Credentials;
use crate::objects::sign::{self, PutObject, Signer, UploadPart};
use crate::objects::store::ObjectStore;

/// The lifetime of the URLs of a probe, in seconds.
const URL_LIFETIME: u32 = 300;

/// A probe with a folder of its own.
pub struct Probe<'a> {
    /// The bucket.
    pub store: &'a ObjectStore,
    http: &'a PlainHttp,
    signer: &'a Signer,
    credentials: Arc<Credentials>,
    now: DateTime<Utc>,
    artifacts: ProbeArtifacts,
}

impl<'a> Probe<'a> {
    /// Creates a probe, and writes nothing yet. URLs are signed at `now`; nothing is written any
    /// more once `stop` is cancelled.
    pub fn new(
        store: &'a ObjectStore,
        http: &'a PlainHttp,
        signer: &'a Signer,
        credentials: Arc<Credentials>,
        now: DateTime<Utc>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            store,
            http,
            signer,
            credentials,
            now,
            artifacts: ProbeArtifacts::new(stop),
        }
    }

    /// Returns the key of an object of this probe.
    pub fn key(&self, name: &str) -> String {
        self.artifacts.key(name)
    }

    /// The upload id in the metadata of all objects of the probe. No upload has this id.
    pub fn id(&self) -> String {
        self.artifacts.id()
    }

    /// Returns a probe of the abilities of the store, which uses the calls of the broker.
    pub fn ability_probe(&self) -> AbilityProbe<'_> {
        AbilityProbe::new(self.store, &self.artifacts)
    }

    /// Removes everything that was written or started.
    ///
    /// # Errors
    /// As for [`ProbeArtifacts::remove`].
    pub async fn clean_up(&self) -> Result<(), ProbeError> {
        self.artifacts.remove(self.store).await
    }

    /// Sends a PUT as a client with a pre-signed URL does; `more` are headers that are not signed.
    ///
    /// # Errors
    /// The store does not answer. A refusal is not an error.
    pub async fn put(
        &self,
        object: &PutObject<'_>,
        body: &'static str,
        more: &[(&'static str, &str)],
    ) -> Result<Answer, ProbeError> {
        self.send(object, body, more, |url| url).await
    }

    /// Sends a PUT with an invalid signature.
    ///
    /// # Errors
    /// As for [`put`](Self::put).
    pub async fn put_with_invalid_signature(
        &self,
        object: &PutObject<'_>,
        body: &'static str,
    ) -> Result<Answer, ProbeError> {
        self.send(object, body, &[], with_invalid_signature).await
    }

    async fn send(
        &self,
        object: &PutObject<'_>,
        body: &'static str,
        more: &[(&'static str, &str)],
        modify_url: impl FnOnce(String) -> String,
    ) -> Result<Answer, ProbeError> {
        let signed = self
            .signer
            .put_object(object, URL_LIFETIME, &self.credentials, self.now)?;
        self.artifacts.record_key(object.key)?;
        let headers = signed.headers.iter().map(|(name, value)| (*name, &**value));
        let headers: Vec<_> = headers.chain(more.iter().copied()).collect();
        self.http
            .put(&modify_url(signed.presigned.url), &headers, body)
            .await
    }

    /// Sends the CORS preflight request that a browser sends before a page of `origin` sends
    /// `headers` with `method` to this key.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn preflight(
        &self,
        key: &str,
        origin: &str,
        method: &str,
        headers: &[&str],
    ) -> Result<Answer, ProbeError> {
        // Browsers send preflight requests without a signature.
        let endpoint = self.signer.endpoint();
        let url = format!("{}{}{key}", endpoint.origin(), endpoint.base_path());
        self.http.preflight(&url, origin, method, headers).await
    }

    /// Creates a multipart upload of `object`, aborts it at once, and returns its id.
    ///
    /// # Errors
    /// It could not be created or aborted.
    pub async fn start_and_abort_multipart(
        &self,
        object: &PutObject<'_>,
    ) -> Result<String, ProbeError> {
        self.artifacts.record_multipart_start(object.key)?;
        let id = self.store.create_multipart(object, None).await?;
        self.artifacts.record_multipart(object.key, &id);
        self.store.abort_multipart(object.key, &id).await?;
        Ok(id)
    }

    /// Creates a multipart upload of `object` and sends one part as a client does, with its
    /// `checksum` if there is one. Returns the id of the multipart upload and the answer to the
    /// part.
    ///
    /// # Errors
    /// As for [`put`](Self::put), or the multipart upload could not be created.
    pub async fn send_part(
        &self,
        object: &PutObject<'_>,
        body: &'static str,
        checksum: Option<&Checksum>,
    ) -> Result<(String, Answer), ProbeError> {
        self.artifacts.record_multipart_start(object.key)?;
        let id = (self
            .store
            .create_multipart(object, checksum.map(Checksum::algorithm)))
        .await?;
        self.artifacts.record_multipart(object.key, &id);
        let part = UploadPart {
            number: 1,
            size: u64::try_from(body.len()).unwrap_or_default(),
            checksum: checksum.map(|sum| sign::Checksum {
                header: sum.algorithm().header(),
                value: sum.value(),
            }),
        };
        let headers = part.checksum.map(|sum| (sum.header, sum.value));
        let signed = {
            let signer = self.signer;
            let mut parts =
                signer.upload_parts(object.key, &id, URL_LIFETIME, &self.credentials, self.now)?;
            parts.sign(&part)?
        };
        let answer = (self.http)
            .put(&signed.url, headers.as_slice(), body)
            .await?;
        Ok((id, answer))
    }
}

impl fmt::Debug for Probe<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Probe")
            .field("artifacts", &self.artifacts)
            .finish_non_exhaustive()
    }
}

/// Changes the first digit of the signature in the URL.
fn with_invalid_signature(url: String) -> String {
    let parameter = "&X-Amz-Signature=";
    let Some((before, signature)) = url.split_once(parameter) else {
        return url;
    };
    let other = if signature.starts_with('0') { '1' } else { '0' };
    let rest = signature.get(1..).unwrap_or_default();
    format!("{before}{parameter}{other}{rest}")
}
