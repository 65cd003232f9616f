//! The two sides beside each other: both come in the order of their paths, so that one pass over
//! them finds what is on one side only, and nothing has to be kept.

use std::cmp::Ordering;
use std::path::Path;
use std::pin::Pin;

use futures::stream::{self, Peekable, Stream, StreamExt as _};

use super::rules::Rules;
use crate::client::api::Entry;
use crate::client::error::Result;
use crate::client::folder;
use crate::client::get::is_part;
use crate::client::walk::{LeftOut, Local};

/// A dataset.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) path: String,
    /// The rest of its path below the folder.
    pub(super) below: String,
    /// Bytes.
    pub(super) size: u64,
}

/// What is found at one path.
#[derive(Debug)]
pub(super) enum Step {
    /// A file here, and nothing there.
    Here(Local),
    /// A dataset there, and nothing here.
    There(Remote),
    /// Both.
    Both(Local, Remote),
    /// An entry here that cannot be read.
    Unreadable(LeftOut),
    /// An object there that has no path; its key.
    WithoutPath(String),
}

type Found = Result<Local, LeftOut>;
type Listed = Result<Result<Remote, String>>;

/// The two sides.
struct Sides<L: Stream<Item = Found>, R: Stream<Item = Listed>> {
    local: Pin<Box<Peekable<L>>>,
    remote: Pin<Box<Peekable<R>>>,
}

/// Compares the paths of both sides. `root` is the local folder, `folder` the broker's.
pub(super) fn steps<'a>(
    (local, root): (impl Stream<Item = Found> + 'a, &'a Path),
    (entries, folder): (impl Stream<Item = Result<Entry>> + 'a, &'a str),
    rules: &'a Rules,
) -> impl Stream<Item = Result<Step>> + 'a {
    let local = local.filter(move |found| std::future::ready(takes(found, root, rules)));
    let remote = entries.filter_map(move |entry| {
        std::future::ready(match listed(entry, folder) {
            Ok(Ok(remote)) if !rules.take(&remote.below) => None,
            listed => Some(listed),
        })
    });
    let sides = Sides {
        local: Box::pin(local.peekable()),
        remote: Box::pin(remote.peekable()),
    };
    stream::try_unfold(sides, async |mut sides| {
        let step = sides.next().await?;
        Ok(step.map(|step| (step, sides)))
    })
}

fn takes(found: &Found, root: &Path, rules: &Rules) -> bool {
    match found {
        Ok(local) => {
            let name = local.below.rsplit('/').next().unwrap_or_default();
            !is_part(name) && rules.take(&local.below)
        }
        Err(left) => {
            let below = left.file.strip_prefix(root).unwrap_or(&left.file);
            rules.take(&below.to_string_lossy())
        }
    }
}

fn listed(entry: Result<Entry>, folder: &str) -> Listed {
    let entry = entry?;
    let path = match entry.address() {
        Ok(path) => path.to_owned(),
        Err(key) => return Ok(Err(key.to_owned())),
    };
    Ok(Ok(Remote {
        below: folder::below(&path, folder)?.to_owned(),
        size: entry.size.unwrap_or_default(),
        path,
    }))
}

impl<L: Stream<Item = Found>, R: Stream<Item = Listed>> Sides<L, R> {
    async fn next(&mut self) -> Result<Option<Step>> {
        let here = match self.local.as_mut().peek().await {
            Some(Ok(local)) => Some(local.below.as_str()),
            Some(Err(_)) => return Ok(self.take_local().await.map(Step::of)),
            None => None,
        };
        let there = match self.remote.as_mut().peek().await {
            Some(Ok(Ok(remote))) => Some(remote.below.as_str()),
            Some(_) => {
                let key = self.remote.as_mut().next().await.transpose()?;
                return Ok(key.and_then(Result::err).map(Step::WithoutPath));
            }
            None => None,
        };
        let order = match (here, there) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(here), Some(there)) => here.cmp(there),
        };
        if order == Ordering::Less {
            return Ok(self.take_local().await.map(Step::of));
        }
        let Some(remote) = self.take_remote().await? else {
            return Ok(None);
        };
        if order == Ordering::Greater {
            return Ok(Some(Step::There(remote)));
        }
        Ok(match self.take_local().await {
            Some(Ok(local)) => Some(Step::Both(local, remote)),
            _ => Some(Step::There(remote)),
        })
    }

    async fn take_local(&mut self) -> Option<Found> {
        self.local.as_mut().next().await
    }

    async fn take_remote(&mut self) -> Result<Option<Remote>> {
        let remote = self.remote.as_mut().next().await.transpose()?;
        Ok(remote.and_then(Result::ok))
    }
}

impl Step {
    fn of(found: Found) -> Self {
        match found {
            Ok(local) => Self::Here(local),
            Err(left) => Self::Unreadable(left),
        }
    }
}
