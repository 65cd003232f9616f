//! Several files: small ones share a request for their sessions, and one for their acknowledges.
//!
//! ```text
//!   items ─▶ groups ─┬─▶ sessions of 100 files ─▶ their bytes ─▶ their acknowledges
//!                    ├─▶ …                                       a few groups at once
//!                    └─▶ a large file alone
//! ```

use std::pin::Pin;
use std::sync::Arc;

use futures::stream::{self, Peekable, Stream, StreamExt as _};
use uuid::Uuid;

use super::Put;
use super::done::Done;
use super::draft::Draft;
use super::file::Brought;
use super::item::Item;
use super::standing::{Prepared, Standing};
use crate::client::api::wire::{BatchResult, NewUpload, Upload};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::output::printable;
use crate::client::progress::Transfer;
use crate::client::walk::LeftOut;

/// The most files whose sessions are asked for at once.
const FILES: usize = 100;
/// The most bytes in those: their URLs must not end before their turn comes.
const BYTES: u64 = 64 << 20;
/// How many files are read for their checksums at once.
const FOUND: usize = 16;
/// How many groups are worked on at once: while the files of one are sent, the sessions of the next
/// are made, and those before are acknowledged.
const GROUPS: usize = 3;

/// A file with its session, where one was made for it.
type Ready = (Prepared, Option<(Upload, Draft)>);

/// Where a file is before its bytes are sent.
enum Before {
    Ready(Box<Ready>),
    Done(Box<Done>),
}

/// What is worked on at once.
enum Group {
    Files(Vec<Item>),
    LeftOut(LeftOut),
}

impl Put<'_> {
    /// Uploads all of them; one that fails stops no other. Ends as the worst of them.
    pub(in crate::client) async fn files(
        &self,
        items: impl Stream<Item = Result<Item, LeftOut>>,
        transfer: &Arc<Transfer>,
    ) -> Result<Exit> {
        let items = Box::pin(items.peekable());
        let groups = stream::unfold(items, |mut items| async move {
            let group = self.next_group(items.as_mut()).await?;
            Some((group, items))
        });
        let ends = groups.map(|group| async move {
            match group {
                Group::Files(items) => self.group(items, transfer).await,
                Group::LeftOut(left) => {
                    let subject = printable(&left.file.display().to_string());
                    let error = Error::LeftOut(left.reason);
                    self.context.output.failed(&subject, error)
                }
            }
        });
        let mut ends = std::pin::pin!(ends.buffer_unordered(GROUPS));
        let mut worst = Exit::Done;
        while let Some(end) = ends.next().await {
            worst = worst.max(end?);
        }
        Ok(worst)
    }

    async fn next_group<S>(&self, mut items: Pin<&mut Peekable<S>>) -> Option<Group>
    where
        S: Stream<Item = Result<Item, LeftOut>>,
    {
        let first = match items.as_mut().next().await? {
            Ok(first) => first,
            Err(left) => return Some(Group::LeftOut(left)),
        };
        let alone = self.options.in_parts(first.stamp.size);
        let mut bytes = first.stamp.size;
        let mut group = vec![first];
        while !alone && group.len() < FILES {
            let fits = |next: &Result<Item, LeftOut>| {
                next.as_ref().is_ok_and(|item| {
                    let size = item.stamp.size;
                    !self.options.in_parts(size) && bytes.saturating_add(size) <= BYTES
                })
            };
            let Some(Ok(item)) = items.as_mut().next_if(fits).await else {
                break;
            };
            bytes = bytes.saturating_add(item.stamp.size);
            group.push(item);
        }
        Some(Group::Files(group))
    }

    async fn group(&self, items: Vec<Item>, transfer: &Arc<Transfer>) -> Result<Exit> {
        let mut worst = Exit::Done;
        let mut waiting = Vec::new();
        let before = self.ready(items).await?;
        let brought = stream::iter(before).map(|(item, before)| async move {
            let brought = match before {
                Ok(Before::Done(done)) => {
                    transfer.advance(item.stamp.size);
                    Ok(Brought::Done(done))
                }
                Ok(Before::Ready(ready)) => {
                    let (prepared, session) = *ready;
                    self.bring(prepared, session, transfer).await
                }
                Err(error) => Err(error),
            };
            (item, brought)
        });
        let mut brought = std::pin::pin!(brought.buffer_unordered(FILES));
        while let Some((item, brought)) = brought.next().await {
            match brought {
                Ok(Brought::Waits(file)) => waiting.push((item, *file)),
                Ok(Brought::Done(done)) => worst = worst.max(self.end(&item, Ok(*done)).await?),
                Err(error) => worst = worst.max(self.end(&item, Err(error)).await?),
            }
        }
        // Files that were not acknowledged are remembered: the next run goes on with them.
        let proven = self.acknowledge_all(&waiting).await?;
        for ((item, file), proven) in waiting.into_iter().zip(proven) {
            let done = self.finish(file, proven).await;
            worst = worst.max(self.end(&item, done).await?);
        }
        Ok(worst)
    }

    /// Reports how it ended with a file.
    async fn end(&self, item: &Item, done: Result<Done>) -> Result<Exit> {
        let done = match done {
            Err(error) if error.is_problem("dataset-exists") => {
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
            Err(error) => self.context.output.failed(&printable(&file), error),
        }
    }

    /// Finds what earlier runs left, and makes sessions for those that have none.
    async fn ready(&self, items: Vec<Item>) -> Result<Vec<(Item, Result<Before>)>> {
        let alone = items.len() == 1;
        let mut ready = Vec::new();
        let mut new: Vec<(Item, Prepared, Draft)> = Vec::new();
        let found = stream::iter(items).map(|item| async move {
            let found = self.find(&item, alone).await;
            (item, found)
        });
        let mut found = std::pin::pin!(found.buffered(FOUND));
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
            let what = "the broker answered for another number of files";
            return Err(Error::Strange(what.to_owned()));
        }
        for ((item, prepared, draft), result) in new.into_iter().zip(results) {
            let made = session(result);
            let file = made.map(|made| Before::Ready(Box::new((prepared, Some((made, draft))))));
            ready.push((item, file));
        }
        Ok(ready)
    }

    async fn find(&self, item: &Item, alone: bool) -> Result<Found> {
        if let Some(done) = self.skipped(item).await? {
            return Ok(Found::Done(Box::new(done)));
        }
        let prepared = Box::new(self.prepare(item.clone()).await?);
        if alone || !matches!(prepared.standing, Standing::New) {
            return Ok(Found::Alone(prepared));
        }
        let draft = self.draft(item).await?;
        Ok(Found::New(prepared, Box::new(draft)))
    }
}

/// What an earlier run left of a file.
enum Found {
    /// Its bytes are there already.
    Done(Box<Done>),
    /// It needs a session, which it can have together with others.
    New(Box<Prepared>, Box<Draft>),
    /// It has a session, or gets one by itself.
    Alone(Box<Prepared>),
}

/// The upload in one result of several.
pub(super) fn session(result: BatchResult) -> Result<Upload> {
    match (result.upload, result.problem) {
        (Some(upload), _) => Ok(upload),
        (None, Some(mut problem)) => {
            problem.status = result.status;
            Err(Error::Refused(Box::new(problem)))
        }
        (None, None) => Err(Error::Strange("the broker left a file out".to_owned())),
    }
}
