//! Trying out whether a store does what is signed: a few objects of our own are written the way a
//! client writes, with pre-signed URLs over plain HTTP, and looked at.
//!
//! All of them lie in one folder that no upload has, [`FOLDER`], under a name that nobody had
//! before. [`Probe::erase`] removes whatever was written or begun, also after a failure; it is the
//! caller's to call it, whatever came out. Told to stop, a probe ends what is on its way and begins
//! nothing else. Only a process that is killed leaves something there, and a write that the store
//! finishes long after its time was over.

mod erase;
mod wire;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use wire::{Answer, Seen, Wire};

use super::credentials::Credentials;
use super::sign::{self, PutObject, Signer, UploadPart};
use super::{ObjectStore, StoreError};

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
    Wire(String),
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
    wire: &'a Wire,
    signer: &'a Signer,
    credentials: Arc<Credentials>,
    now: DateTime<Utc>,
    name: Uuid,
    stop: CancellationToken,
    made: Mutex<Made>,
}

/// What there is to remove.
#[derive(Default)]
struct Made {
    keys: Vec<String>,
    /// Whether there may be multipart uploads.
    parts: bool,
}

impl<'a> Probe<'a> {
    /// A new folder; nothing is written yet. URLs are signed at `now`; from `stop` on nothing is
    /// written any more.
    pub fn new(
        store: &'a ObjectStore,
        wire: &'a Wire,
        signer: &'a Signer,
        credentials: Arc<Credentials>,
        now: DateTime<Utc>,
        stop: CancellationToken,
    ) -> Self {
        let name = Uuid::new_v4();
        Self {
            store,
            wire,
            signer,
            credentials,
            now,
            name,
            stop,
            made: Mutex::default(),
        }
    }

    /// The key of an object of this probe.
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.folder())
    }

    fn folder(&self) -> String {
        format!("{FOLDER}{}/", self.name)
    }

    /// What every object of the probe names as its upload; no upload has it.
    pub fn id(&self) -> String {
        self.name.to_string()
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
    pub async fn forge(
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
        self.begin(object.key)?;
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

    /// Begins a multipart upload of `object` and sends it one part, as a client would. Returns S3's
    /// id of the upload and the answer to the part.
    ///
    /// # Errors
    /// As [`put`](Self::put), or the upload could not be begun.
    pub async fn send_part(
        &self,
        object: &PutObject<'_>,
        body: &'static str,
    ) -> Result<(String, Answer), ProbeError> {
        self.begin(object.key)?;
        self.made().parts = true;
        let id = self.store.create_multipart(object, None).await?;
        let part = UploadPart {
            number: 1,
            size: u64::try_from(body.len()).unwrap_or_default(),
            checksum: None,
        };
        let signed = {
            let signer = self.signer;
            let mut parts =
                signer.upload_parts(object.key, &id, LIFE, &self.credentials, self.now)?;
            parts.sign(&part)?
        };
        let answer = self.wire.put(&signed.url, &[], body).await?;
        Ok((id, answer))
    }

    /// Notes what may have to be removed, before it is there.
    fn begin(&self, key: &str) -> Result<(), ProbeError> {
        if self.stop.is_cancelled() {
            return Err(ProbeError::Stopped);
        }
        self.made().keys.push(key.to_owned());
        Ok(())
    }

    fn made(&self) -> std::sync::MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Probe<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Probe")
            .field("name", &self.name)
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
