//! Several files: small ones share a request for their sessions, large ones go alone.

use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use uuid::Uuid;

use super::Put;
use super::file::{Done, Draft};
use super::sources::Item;
use super::standing::{Prepared, Standing};
use crate::client::api::wire::{BatchResult, NewUpload, Upload};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::output::printable;
use crate::client::progress::Transfer;

/// The most files whose sessions are asked for at once.
const FILES: usize = 100;
/// The most bytes in those: their URLs must not end before their turn comes.
const BYTES: u64 = 64 << 20;

/// A file with its session, where one was made for it; or why it cannot be uploaded.
type Ready = Result<(Prepared, Option<(Upload, Draft)>)>;

impl Put<'_> {
    /// Uploads all of them; one that fails stops no other. Ends as the worst of them.
    pub(super) async fn files(&self, items: Vec<Item>, transfer: &Arc<Transfer>) -> Result<Exit> {
        let mut worst = Exit::Done;
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            let mut group: Vec<Item> = Vec::new();
            let mut bytes = 0_u64;
            while let Some(item) = items.next_if(|item| {
                let alone = self.options.in_parts(item.stamp.size);
                let full = group.len() >= FILES || bytes.saturating_add(item.stamp.size) > BYTES;
                group.is_empty() || !(alone || full)
            }) {
                bytes = bytes.saturating_add(item.stamp.size);
                let alone = self.options.in_parts(item.stamp.size);
                group.push(item);
                if alone {
                    break;
                }
            }
            worst = worst.max(self.group(group, transfer).await?);
        }
        Ok(worst)
    }

    async fn group(&self, items: Vec<Item>, transfer: &Arc<Transfer>) -> Result<Exit> {
        let ready = self.ready(items).await?;
        let done = stream::iter(ready).map(|(item, ready)| async move {
            let done = match ready {
                Ok((prepared, session)) => self.put_file(prepared, session, transfer).await,
                Err(error) => Err(error),
            };
            (item, done)
        });
        let mut done = std::pin::pin!(done.buffer_unordered(self.parallel));
        let mut worst = Exit::Done;
        while let Some((item, done)) = done.next().await {
            worst = worst.max(self.told(&item, done)?);
        }
        Ok(worst)
    }

    fn told(&self, item: &Item, done: Result<Done>) -> Result<Exit> {
        match done {
            Ok(done) => {
                self.tell(&item.file.display().to_string(), &done)?;
                Ok(Exit::Done)
            }
            Err(error) => {
                let subject = printable(&item.file.display().to_string());
                self.context.output.failed(&subject, error)
            }
        }
    }

    /// Finds what earlier runs left, and makes sessions for those that have none.
    async fn ready(&self, items: Vec<Item>) -> Result<Vec<(Item, Ready)>> {
        let alone = items.len() == 1;
        let mut ready = Vec::new();
        let mut new: Vec<(Item, Prepared, Draft)> = Vec::new();
        let prepared = stream::iter(items)
            .map(|item| async move {
                let prepared = self.prepare(item.clone()).await;
                let draft = match &prepared {
                    Ok(Prepared {
                        standing: Standing::New,
                        item,
                        ..
                    }) if !alone => Some(self.draft(item).await),
                    _ => None,
                };
                (item, prepared, draft)
            })
            .buffered(self.parallel);
        let mut prepared = std::pin::pin!(prepared);
        while let Some((item, prepared, draft)) = prepared.next().await {
            match (prepared, draft) {
                (Ok(prepared), Some(Ok(draft))) => new.push((item, prepared, draft)),
                (Ok(prepared), None) => ready.push((item, Ok((prepared, None)))),
                (Err(error), _) | (_, Some(Err(error))) => ready.push((item, Err(error))),
            }
        }
        if !new.is_empty() {
            let bodies: Vec<&NewUpload> = new.iter().map(|(.., draft)| &draft.body).collect();
            let key = Uuid::new_v4().to_string();
            let results = self.context.api.create_batch(&bodies, &key).await?;
            if results.len() != new.len() {
                let what = "the broker answered for another number of files";
                return Err(Error::Strange(what.to_owned()));
            }
            for ((item, prepared, draft), result) in new.into_iter().zip(results) {
                let made = session(result).map(|made| (prepared, Some((made, draft))));
                ready.push((item, made));
            }
        }
        Ok(ready)
    }
}

fn session(result: BatchResult) -> Result<Upload> {
    match (result.upload, result.problem) {
        (Some(upload), _) => Ok(upload),
        (None, Some(mut problem)) => {
            problem.status = result.status;
            Err(Error::Refused(Box::new(problem)))
        }
        (None, None) => Err(Error::Strange("the broker left a file out".to_owned())),
    }
}
