//! Trying out whether a store does what is signed: a few objects of our own are written the way a
//! client writes, with pre-signed URLs over plain HTTP, and looked at.
//!
//! All of them lie in one folder that no upload has, [`FOLDER`], under a name that nobody had
//! before. [`Probe::erase`] removes whatever was written or begun, also after a failure; it is the
//! caller's to call it, whatever came out. Told to stop, a probe ends what is on its way and begins
//! nothing else. Only a process that is killed leaves something there, and a write that the store
//! finishes long after its time was over.

mod outcome;
mod traces;
mod try_checksums;
mod try_out;
mod wire;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

pub use outcome::Outcome;
pub use traces::ProbeArtifacts;
pub use try_out::{AbilityProbe, AbilityReport};
pub use wire::{Answer, ClockComparison, PlainHttp};

use super::credentials::Credentials;
use super::sign::{self, PutObject, Signer, UploadPart};
use super::{ObjectStore, StoreError};
use crate::domain::checksum::Checksum;

/// Where every probe lies in the bucket.
pub const FOLDER: &str = ".upload-broker-doctor/";

/// How long the URLs of a probe live, in seconds.
const LIFE: u32 = 300;

/// Why a probe has no result.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// No URL could be signed.
    #[error("cannot sign a URL")]
    Sign(#[from] sign::Error),
    /// The store did not answer a client's request. Says nothing of the URL.
    #[error("the store does not answer a client: {0}")]
    PlainHttp(String),
    /// The store did not answer the broker's own call.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was told to stop, and did not send this.
    #[error("interrupted")]
    Stopped,
}

/// A folder of objects to try things out with.
pub struct Probe<'a> {
    /// The bucket.
    pub store: &'a ObjectStore,
    wire: &'a PlainHttp,
    signer: &'a Signer,
    credentials: Arc<Credentials>,
    now: DateTime<Utc>,
    traces: ProbeArtifacts,
}

impl<'a> Probe<'a> {
    /// A new folder; nothing is written yet. URLs are signed at `now`; from `stop` on nothing is
    /// written any more.
    pub fn new(
        store: &'a ObjectStore,
        wire: &'a PlainHttp,
        signer: &'a Signer,
        credentials: Arc<Credentials>,
        now: DateTime<Utc>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            store,
            wire,
            signer,
            credentials,
            now,
            traces: ProbeArtifacts::new(stop),
        }
    }

    /// The key of an object of this probe.
    pub fn key(&self, name: &str) -> String {
        self.traces.key(name)
    }

    /// What every object of the probe names as its upload; no upload has it.
    pub fn id(&self) -> String {
        self.traces.id()
    }

    /// Tries out what the store does, with the broker's own calls.
    pub fn ability_probe(&self) -> AbilityProbe<'_> {
        AbilityProbe::new(self.store, &self.traces)
    }

    /// Removes whatever was written or begun.
    ///
    /// # Errors
    /// As [`ProbeArtifacts::erase`].
    pub async fn clean_up(&self) -> Result<(), ProbeError> {
        self.traces.remove(self.store).await
    }

    /// Writes as a client with a pre-signed URL would; `more` are headers that are not signed.
    ///
    /// # Errors
    /// No answer. A refusal is an answer.
    pub async fn put(
        &self,
        object: &PutObject<'_>,
        body: &'static str,
        more: &[(&'static str, &str)],
    ) -> Result<Answer, ProbeError> {
        self.send(object, body, more, |url| url).await
    }

    /// The same with a signature that is not right.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn put_with_invalid_signature(
        &self,
        object: &PutObject<'_>,
        body: &'static str,
    ) -> Result<Answer, ProbeError> {
        self.send(object, body, &[], forged).await
    }

    async fn send(
        &self,
        object: &PutObject<'_>,
        body: &'static str,
        more: &[(&'static str, &str)],
        bend: impl FnOnce(String) -> String,
    ) -> Result<Answer, ProbeError> {
        let signed = self
            .signer
            .put_object(object, LIFE, &self.credentials, self.now)?;
        self.traces.write(object.key)?;
        let headers = signed.headers.iter().map(|(name, value)| (*name, &**value));
        let headers: Vec<_> = headers.chain(more.iter().copied()).collect();
        self.wire
            .put(&bend(signed.presigned.url), &headers, body)
            .await
    }

    /// Asks as a browser does before a page of `origin` sends `headers` with `method` to this key.
    ///
    /// # Errors
    /// No answer.
    pub async fn preflight(
        &self,
        key: &str,
        origin: &str,
        method: &str,
        headers: &[&str],
    ) -> Result<Answer, ProbeError> {
        // Not signed: browsers send no signature with it, and URLs need no key to be asked about.
        let endpoint = self.signer.endpoint();
        let url = format!("{}{}{key}", endpoint.origin(), endpoint.base_path());
        self.wire.preflight(&url, origin, method, headers).await
    }

    /// Begins a multipart upload of `object` and ends it at once. Returns S3's id of it.
    ///
    /// # Errors
    /// It could not be begun or ended.
    pub async fn start_and_abort_multipart(
        &self,
        object: &PutObject<'_>,
    ) -> Result<String, ProbeError> {
        self.traces.begin(object.key)?;
        let id = self.store.create_multipart(object, None).await?;
        self.traces.began(object.key, &id);
        self.store.abort_multipart(object.key, &id).await?;
        Ok(id)
    }

    /// Begins a multipart upload of `object` and sends it one part, as a client would, with its
    /// `checksum` where there is one. Returns S3's id of the upload and the answer to the part.
    ///
    /// # Errors
    /// As [`put`](Self::put), or the upload could not be begun.
    pub async fn send_part(
        &self,
        object: &PutObject<'_>,
        body: &'static str,
        checksum: Option<&Checksum>,
    ) -> Result<(String, Answer), ProbeError> {
        self.traces.begin(object.key)?;
        let id = (self
            .store
            .create_multipart(object, checksum.map(Checksum::algorithm)))
        .await?;
        self.traces.began(object.key, &id);
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
                signer.upload_parts(object.key, &id, LIFE, &self.credentials, self.now)?;
            parts.sign(&part)?
        };
        let answer = (self.wire)
            .put(&signed.url, headers.as_slice(), body)
            .await?;
        Ok((id, answer))
    }
}

impl fmt::Debug for Probe<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Probe")
            .field("traces", &self.traces)
            .finish_non_exhaustive()
    }
}

/// The URL with the first digit of its signature changed.
fn forged(url: String) -> String {
    let mark = "&X-Amz-Signature=";
    let Some((before, signature)) = url.split_once(mark) else {
        return url;
    };
    let other = if signature.starts_with('0') { '1' } else { '0' };
    let rest = signature.get(1..).unwrap_or_default();
    format!("{before}{mark}{other}{rest}")
}
