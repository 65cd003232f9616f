//! Writes the pages of a document, while the attempt at its job runs.

use crate::domain::document::{PageText, search_folders};
use crate::domain::job::Job;
use crate::domain::path::DatasetPath;
use crate::store::documents::{self, NewDocument};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The most bytes of text that a caller should pass to [`Writing::add`] at a time.
///
/// Postgres splits about 0.6 MiB of text a second into words. A statement of this size takes half a second,
/// and ends within its timeout (15 s by default) on a server that is 30 times as busy, too.
pub const BATCH_BYTES: usize = 256 * 1024;
/// The most pages that a caller should pass to [`Writing::add`] at a time.
pub const BATCH_PAGES: usize = 50;

/// A document that is being written.
pub struct Writing<'a> {
    broker: &'a Broker,
    document: NewDocument,
}

/// Starts the document of an attempt at a job of the upload at `path`. `None` if the lease of the job
/// was lost.
pub async fn start<'a>(
    broker: &'a Broker,
    job: &Job,
    path: &DatasetPath,
) -> Result<Option<Writing<'a>>> {
    let Some(token) = job.holder else {
        return Ok(None);
    };
    let document = NewDocument {
        token,
        job_id: job.id,
        upload_id: job.upload_id,
        folders: search_folders(&job.tenant, path.as_str()),
    };
    let mut connection = broker.connection().await?;
    let is_leased = documents::insert(&mut connection, &document, broker.clock.now()).await?;
    drop(connection);
    Ok(is_leased.then_some(Writing { broker, document }))
}

impl Writing<'_> {
    /// Adds pages. Returns whether the job still has its lease; otherwise nothing is added.
    pub async fn add(&self, pages: &[PageText]) -> Result<bool> {
        if pages.is_empty() {
            return Ok(true);
        }
        let mut connection = self.broker.connection().await?;
        Ok(documents::insert_pages(&mut connection, &self.document, pages).await?)
    }
}
