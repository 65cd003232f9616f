//! The detection of the text of a document by another service, between the attempts at its job.
//!
//! Everything that a worker needs to continue the work of another one is in Postgres: see
//! [`text_detections`](crate::store::text_detections) for the faults.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use uuid::Uuid;

use crate::domain::job::Job;
use crate::domain::text_detection::{DetectionRun, TextDetection};
use crate::store::text_detections::{self, LeasedJob};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

pub use crate::store::text_detections::{NewAnswer, Woken};

/// How many pages are read from Postgres at a time.
const BATCH_PAGES: u32 = 50;
/// What follows the text of each page.
const END_OF_PAGE: u8 = 0x0c;

/// Finds how far the detection for a job is.
pub async fn find(broker: &Broker, job: &Job) -> Result<TextDetection> {
    let mut connection = broker.connection().await?;
    Ok(text_detections::find(&mut connection, job.id).await?)
}

/// Saves the run with the number `starts`. Returns whether the job still has its lease.
pub async fn save_run(broker: &Broker, job: &Job, starts: u32, run: &str) -> Result<bool> {
    let Some(job) = leased(job) else {
        return Ok(false);
    };
    let mut connection = broker.connection().await?;
    let now = broker.clock.now();
    Ok(text_detections::save_run(&mut connection, job, starts, run, now).await?)
}

/// Forgets the run with the number `starts`, so that the next start is a new one. Returns whether the
/// job still has its lease.
pub async fn forget_run(broker: &Broker, job: &Job, starts: u32) -> Result<bool> {
    let Some(job) = leased(job) else {
        return Ok(false);
    };
    let mut connection = broker.connection().await?;
    let now = broker.clock.now();
    Ok(text_detections::forget_run(&mut connection, job, starts, now).await?)
}

/// Adds the answer that follows those of `run`. Returns whether the job still has its lease.
pub async fn add_answer(
    broker: &Broker,
    job: &Job,
    run: &DetectionRun,
    answer: &NewAnswer<'_>,
) -> Result<bool> {
    let Some(job) = leased(job) else {
        return Ok(false);
    };
    let mut connection = broker.connection().await?;
    Ok(text_detections::add_answer(&mut connection, job, run, answer).await?)
}

/// Discards the answers of the run of a job, so that they are fetched again. Returns whether the job
/// still has its lease.
pub async fn discard_answers(broker: &Broker, job: &Job) -> Result<bool> {
    let Some(job) = leased(job) else {
        return Ok(false);
    };
    let mut connection = broker.connection().await?;
    Ok(text_detections::discard_answers(&mut connection, job).await?)
}

/// Makes the job with this id due, which waits for the end of `run`.
pub async fn wake(broker: &Broker, job: Uuid, run: &str) -> Result<Woken> {
    let mut connection = broker.connection().await?;
    let woken = text_detections::wake(&mut connection, job, run, broker.clock.now()).await?;
    drop(connection);
    if woken == Woken::Due {
        broker.jobs_queued.notify_waiters();
    }
    Ok(woken)
}

/// The fetched text of a document, as one stream.
pub struct FetchedText {
    /// The exact size in bytes.
    pub size: u64,
    /// The text of each page, in order, each followed by a form feed.
    pub bytes: BoxStream<'static, io::Result<Bytes>>,
}

/// Opens the text of a document with `pages` pages, which was fetched to its end. A few pages are in
/// memory at a time.
pub async fn open_text(broker: &Arc<Broker>, job: &Job, pages: u32) -> Result<FetchedText> {
    let mut connection = broker.connection().await?;
    let size = text_detections::text_size(&mut connection, job.id).await?;
    let (broker, job) = (Arc::clone(broker), job.id);
    let batches = stream::try_unfold(0, move |after| {
        let broker = Arc::clone(&broker);
        async move {
            if after >= pages {
                return Ok(None);
            }
            let last = after.saturating_add(BATCH_PAGES).min(pages);
            let batch = read_batch(&broker, job, after, last).await;
            Ok(Some((batch.map_err(io::Error::other)?, last)))
        }
    });
    Ok(FetchedText {
        size: size.saturating_add(pages.into()),
        bytes: batches.boxed(),
    })
}

async fn read_batch(broker: &Broker, job: Uuid, after: u32, last: u32) -> Result<Bytes> {
    let mut connection = broker.connection().await?;
    let texts = text_detections::find_text(&mut connection, job, after, last).await?;
    drop(connection);
    let mut batch = Vec::new();
    let mut texts = texts.into_iter().peekable();
    for page in after.saturating_add(1)..=last {
        if let Some(text) = texts.next_if(|text| text.page == page) {
            batch.extend_from_slice(text.text.as_bytes());
        }
        batch.push(END_OF_PAGE);
    }
    Ok(batch.into())
}

fn leased(job: &Job) -> Option<LeasedJob> {
    job.holder.map(|token| LeasedJob { id: job.id, token })
}
