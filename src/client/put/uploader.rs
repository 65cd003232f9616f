//! What all uploads of one command share.

use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::options::Options;
use super::sources::Source;
use super::state::StateStore;
use crate::client::context::Context;
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::retry::RetryLimits;
use crate::client::s3::S3;

/// Files below this size in bytes are small.
const SMALL_FILE: u64 = 1 << 20;
/// How many small files are sent in place of one larger file.
const SMALL_FILES_PER_SLOT: usize = 4;

/// What all uploads of one command share.
pub(in crate::client) struct Uploader<'a> {
    pub(super) context: &'a Context,
    pub(super) s3: S3,
    /// How often requests to the store are retried.
    pub(super) retry_limits: Arc<RetryLimits>,
    pub(super) states: StateStore,
    pub(super) options: Options,
    /// The digest of the options.
    pub(super) digest: String,
    pub(super) resume: bool,
    pub(super) parallel: usize,
    slots: Semaphore,
}

impl<'a> Uploader<'a> {
    /// Creates the uploader. `parallel` is how many requests send bytes at a time.
    pub(in crate::client) fn new(
        context: &'a Context,
        options: Options,
        parallel: u8,
    ) -> Result<Self> {
        let parallel = usize::from(parallel);
        Ok(Self {
            context,
            s3: S3::new()?,
            retry_limits: Arc::default(),
            states: StateStore::open()?,
            digest: options.digest()?,
            options,
            resume: true,
            parallel,
            slots: Semaphore::new(parallel.saturating_mul(SMALL_FILES_PER_SLOT)),
        })
    }

    /// Uploads the files and folders of the command line.
    pub(super) async fn sources(&self, sources: Vec<Source>) -> Result<Exit> {
        let output = &self.context.output;
        let (label, total) = match &sources[..] {
            [Source::File(one)] => (one.path.clone(), Some(one.stamp.size)),
            several => {
                self.options.check(true)?;
                match output.is_quiet() {
                    true => (String::new(), None),
                    false => self.count(several),
                }
            }
        };
        let transfer = Arc::new(output.transfer(&label, total, 0));
        let items = stream::iter(sources).flat_map(|source| Box::pin(source.items()));
        self.files(items, &transfer).await
    }

    /// A label with the number of files, and their total size in bytes.
    fn count(&self, sources: &[Source]) -> (String, Option<u64>) {
        let (mut files, mut bytes) = (0_u64, 0_u64);
        for source in sources {
            let (more, of) = source.count();
            if more == 0 {
                let name = source.name().display();
                self.context
                    .output
                    .note(&format!("{name} contains no files"));
            }
            files = files.saturating_add(more);
            bytes = bytes.saturating_add(of);
        }
        (format!("{files} files"), Some(bytes))
    }

    /// Waits for permission to send a request with this many bytes. Several small files may be sent
    /// in place of a larger one, because their requests mostly wait for responses.
    pub(super) async fn slot(&self, size: u64) -> Result<SemaphorePermit<'_>> {
        let share = if size < SMALL_FILE {
            1
        } else {
            SMALL_FILES_PER_SLOT
        };
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let slot = self.slots.acquire_many(share).await;
        slot.map_err(|_| Error::Failed("the permits for requests are closed".to_owned()))
    }
}
