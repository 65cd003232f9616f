//! Uploads several files. Small files share one request for their sessions, and one for their
//! acknowledges.
//!
//! ```text
//!   items ─▶ batches ─┬─▶ sessions of 100 files ─▶ their bytes ─▶ their acknowledges
//!                     ├─▶ …                                       a few batches at a time
//!                     └─▶ a large file alone
//! ```

use std::pin::Pin;
use std::sync::Arc;

use futures::stream::{self, Peekable, Stream, StreamExt as _};
use uuid::Uuid;

use super::draft::Draft;
use super::file::SentFile;
use super::item::Item;
use super::report::Finished;
use super::resume::{Prepared, SessionState};
use super::uploader::Uploader;
use crate::client::api::wire::{BatchResult, NewUpload, Upload};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::output::printable;
use crate::client::progress::Transfer;
use crate::client::walk::SkippedEntry;

/// The most files whose sessions are requested at once.
const MAX_BATCH_FILES: usize = 100;
/// The most bytes in such a batch. It is limited so that no URL expires before its file is sent.
const MAX_BATCH_BYTES: u64 = 64 << 20;
/// How many files are hashed at the same time.
const CONCURRENT_HASHES: usize = 16;
/// How many batches are in progress at the same time: while the files of one are sent, the sessions
/// of the next are created, and the previous one is acknowledged.
const CONCURRENT_BATCHES: usize = 3;

/// A file, and the session that was created for it.
type Ready = (Prepared, Option<(Upload, Draft)>);

/// The state of a file before its bytes are sent.
enum Before {
    Ready(Box<Ready>),
    Done(Box<Finished>),
}

/// Files that are processed together.
enum Batch {
    Files(Vec<Item>),
    Skipped(SkippedEntry),
}

impl Uploader<'_> {
    /// Uploads all files. A file that fails does not stop the others. Returns the most severe exit
    /// code.
    pub(in crate::client) async fn files(
        &self,
        items: impl Stream<Item = Result<Item, SkippedEntry>>,
        transfer: &Arc<Transfer>,
    ) -> Result<Exit> {
        let items = Box::pin(items.peekable());
        let batches = stream::unfold(items, |mut items| async move {
            let batch = self.next_batch(items.as_mut()).await?;
            Some((batch, items))
        });
        let ends = batches.map(|batch| async move {
            match batch {
                Batch::Files(items) => self.batch(items, transfer).await,
                Batch::Skipped(skipped) => {
                    let subject = printable(&skipped.file.display().to_string());
                    let error = Error::Skipped(skipped.reason);
                    self.context.output.report_failure(&subject, error)
                }
            }
        });
        let mut ends = std::pin::pin!(ends.buffer_unordered(CONCURRENT_BATCHES));
        let mut worst = Exit::Done;
        while let Some(end) = ends.next().await {
            worst = worst.max(end?);
        }
        Ok(worst)
    }

    async fn next_batch<S>(&self, mut items: Pin<&mut Peekable<S>>) -> Option<Batch>
    where
        S: Stream<Item = Result<Item, SkippedEntry>>,
    {
        let first = match items.as_mut().next().await? {
            Ok(first) => first,
            Err(skipped) => return Some(Batch::Skipped(skipped)),
        };
        let alone = self.options.in_parts(first.stamp.size);
        let mut bytes = first.stamp.size;
        let mut batch = vec![first];
        while !alone && batch.len() < MAX_BATCH_FILES {
            let fits = |next: &Result<Item, SkippedEntry>| {
                next.as_ref().is_ok_and(|item| {
                    let size = item.stamp.size;
                    !self.options.in_parts(size) && bytes.saturating_add(size) <= MAX_BATCH_BYTES
                })
            };
            let Some(Ok(item)) = items.as_mut().next_if(fits).await else {
                break;
            };
            bytes = bytes.saturating_add(item.stamp.size);
            batch.push(item);
        }
        Some(Batch::Files(batch))
    }

    async fn batch(&self, items: Vec<Item>, transfer: &Arc<Transfer>) -> Result<Exit> {
        let mut worst = Exit::Done;
        let mut unacknowledged = Vec::new();
        let before = self.ready(items).await?;
        let sent = stream::iter(before).map(|(item, before)| async move {
            let sent = match before {
                Ok(Before::Done(done)) => {
                    transfer.advance(item.stamp.size);
                    Ok(SentFile::Finished(done))
                }
                Ok(Before::Ready(ready)) => {
                    let (prepared, session) = *ready;
                    self.send_file(prepared, session, transfer).await
                }
                Err(error) => Err(error),
            };
            (item, sent)
        });
        let mut sent = std::pin::pin!(sent.buffer_unordered(MAX_BATCH_FILES));
        while let Some((item, sent)) = sent.next().await {
            match sent {
                Ok(SentFile::Unacknowledged(file)) => unacknowledged.push((item, *file)),
                Ok(SentFile::Finished(done)) => {
                    worst = worst.max(self.end(&item, Ok(*done)).await?)
                }
                Err(error) => worst = worst.max(self.end(&item, Err(error)).await?),
            }
        }
        // Files whose acknowledge fails are remembered, and the next run continues with them.
        let proven = self.acknowledge_all(&unacknowledged).await?;
        for ((item, file), proven) in unacknowledged.into_iter().zip(proven) {
            let done = self.finish(file, proven).await;
            worst = worst.max(self.end(&item, done).await?);
        }
        Ok(worst)
    }

    /// Reports the result of a file.
    async fn end(&self, item: &Item, done: Result<Finished>) -> Result<Exit> {
        let done = match done {
            Err(error) if error.has_code("dataset-exists") => {
                self.same_as_existing(item, error).await
            }
            done => done,
        };
        let file = item.file.display().to_string();
        match done {
            Ok(done) => {
                self.report(&file, &done)?;
                Ok(Exit::Done)
            }
            Err(error) => self.context.output.report_failure(&printable(&file), error),
        }
    }

    /// Finds the sessions that earlier runs created, and creates sessions for the other files.
    async fn ready(&self, items: Vec<Item>) -> Result<Vec<(Item, Result<Before>)>> {
        let alone = items.len() == 1;
        let mut ready = Vec::new();
        let mut new: Vec<(Item, Prepared, Draft)> = Vec::new();
        let found = stream::iter(items).map(|item| async move {
            let found = self.find(&item, alone).await;
            (item, found)
        });
        let mut found = std::pin::pin!(found.buffered(CONCURRENT_HASHES));
        while let Some((item, found)) = found.next().await {
            match found {
                Ok(Found::Done(done)) => ready.push((item, Ok(Before::Done(done)))),
                Ok(Found::New(prepared, draft)) => new.push((item, *prepared, *draft)),
                Ok(Found::Alone(prepared)) => {
                    let file = Before::Ready(Box::new((*prepared, None)));
                    ready.push((item, Ok(file)));
                }
                Err(error) => ready.push((item, Err(error))),
            }
        }
        if new.is_empty() {
            return Ok(ready);
        }
        let bodies: Vec<&NewUpload> = new.iter().map(|(.., draft)| &draft.body).collect();
        let key = Uuid::new_v4().to_string();
        let results = self.context.api.create_batch(&bodies, &key).await?;
        if results.len() != new.len() {
            let what = "the broker returned results for a different number of files";
            return Err(Error::UnexpectedResponse(what.to_owned()));
        }
        for ((item, prepared, draft), result) in new.into_iter().zip(results) {
            let made = upload_of(result);
            let file = made.map(|made| Before::Ready(Box::new((prepared, Some((made, draft))))));
            ready.push((item, file));
        }
        Ok(ready)
    }

    async fn find(&self, item: &Item, alone: bool) -> Result<Found> {
        if let Some(done) = self.find_same_dataset(item).await? {
            return Ok(Found::Done(Box::new(done)));
        }
        let prepared = Box::new(self.prepare(item.clone()).await?);
        if alone || !matches!(prepared.session_state, SessionState::None) {
            return Ok(Found::Alone(prepared));
        }
        let draft = self.draft(item).await?;
        Ok(Found::New(prepared, Box::new(draft)))
    }
}

/// What is known of a file before it is sent.
enum Found {
    /// Its dataset already exists.
    Done(Box<Finished>),
    /// It needs a session, which is created in a batch.
    New(Box<Prepared>, Box<Draft>),
    /// It has a session, or gets one by a request of its own.
    Alone(Box<Prepared>),
}

/// The upload in one result of a batch.
pub(super) fn upload_of(result: BatchResult) -> Result<Upload> {
    match (result.upload, result.problem) {
        (Some(upload), _) => Ok(upload),
        (None, Some(mut problem)) => {
            problem.status = result.status;
            Err(Error::Refused(Box::new(problem)))
        }
        (None, None) => Err(Error::UnexpectedResponse(
            "the broker returned no result for a file".to_owned(),
        )),
    }
}
