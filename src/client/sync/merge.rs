//! Merges the listings of both sides. Both are sorted by path, so that one pass finds the paths
//! that only one side has, and no listing has to be kept in memory.

use std::cmp::Ordering;
use std::path::Path;
use std::pin::Pin;

use futures::stream::{self, Peekable, Stream, StreamExt as _};

use super::rules::Rules;
use crate::client::api::Entry;
use crate::client::error::Result;
use crate::client::folder;
use crate::client::get::is_part_file;
use crate::client::walk::{Local, SkippedEntry};

/// A dataset in the broker's folder.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) path: String,
    /// Its path relative to the folder.
    pub(super) relative_path: String,
    /// Its size in bytes.
    pub(super) size: u64,
}

/// What both sides have at one path.
#[derive(Debug)]
pub(super) enum PathState {
    /// A local file without a dataset.
    LocalOnly(Local),
    /// A dataset without a local file.
    RemoteOnly(Remote),
    /// A local file and a dataset.
    Both(Local, Remote),
    /// A local entry that cannot be read.
    Unreadable(SkippedEntry),
    /// An object without a path, by its key.
    WithoutPath(String),
}

type LocalResult = Result<Local, SkippedEntry>;
type RemoteResult = Result<Result<Remote, String>>;

/// The listings of both sides.
struct Sides<L: Stream<Item = LocalResult>, R: Stream<Item = RemoteResult>> {
    local: Pin<Box<Peekable<L>>>,
    remote: Pin<Box<Peekable<R>>>,
}

/// Merges both listings. `root` is the local folder, `folder` the broker's.
pub(super) fn merge<'a>(
    (local, root): (impl Stream<Item = LocalResult> + 'a, &'a Path),
    (entries, folder): (impl Stream<Item = Result<Entry>> + 'a, &'a str),
    rules: &'a Rules,
) -> impl Stream<Item = Result<PathState>> + 'a {
    let local = local.filter(move |found| std::future::ready(is_included(found, root, rules)));
    let remote = entries.filter_map(move |entry| {
        std::future::ready(match self::remote(entry, folder) {
            Ok(Ok(remote)) if !rules.include(&remote.relative_path) => None,
            remote => Some(remote),
        })
    });
    let sides = Sides {
        local: Box::pin(local.peekable()),
        remote: Box::pin(remote.peekable()),
    };
    stream::try_unfold(sides, async |mut sides| {
        let state = sides.next().await?;
        Ok(state.map(|state| (state, sides)))
    })
}

fn is_included(found: &LocalResult, root: &Path, rules: &Rules) -> bool {
    match found {
        Ok(local) => {
            let name = local.relative_path.rsplit('/').next().unwrap_or_default();
            !is_part_file(name) && rules.include(&local.relative_path)
        }
        Err(skipped) => {
            let below = skipped.file.strip_prefix(root).unwrap_or(&skipped.file);
            rules.include(&below.to_string_lossy())
        }
    }
}

fn remote(entry: Result<Entry>, folder: &str) -> RemoteResult {
    let entry = entry?;
    let path = match entry.address() {
        Ok(path) => path.to_owned(),
        Err(key) => return Ok(Err(key.to_owned())),
    };
    Ok(Ok(Remote {
        relative_path: folder::relative_path(&path, folder)?.to_owned(),
        size: entry.size.unwrap_or_default(),
        path,
    }))
}

impl<L: Stream<Item = LocalResult>, R: Stream<Item = RemoteResult>> Sides<L, R> {
    async fn next(&mut self) -> Result<Option<PathState>> {
        let local = match self.local.as_mut().peek().await {
            Some(Ok(local)) => Some(local.relative_path.as_str()),
            Some(Err(_)) => return Ok(self.take_local().await.map(PathState::of)),
            None => None,
        };
        let remote = match self.remote.as_mut().peek().await {
            Some(Ok(Ok(remote))) => Some(remote.relative_path.as_str()),
            Some(_) => {
                let key = self.remote.as_mut().next().await.transpose()?;
                return Ok(key.and_then(Result::err).map(PathState::WithoutPath));
            }
            None => None,
        };
        let order = match (local, remote) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(local), Some(remote)) => local.cmp(remote),
        };
        if order == Ordering::Less {
            return Ok(self.take_local().await.map(PathState::of));
        }
        let Some(remote) = self.take_remote().await? else {
            return Ok(None);
        };
        if order == Ordering::Greater {
            return Ok(Some(PathState::RemoteOnly(remote)));
        }
        Ok(match self.take_local().await {
            Some(Ok(local)) => Some(PathState::Both(local, remote)),
            _ => Some(PathState::RemoteOnly(remote)),
        })
    }

    async fn take_local(&mut self) -> Option<LocalResult> {
        self.local.as_mut().next().await
    }

    async fn take_remote(&mut self) -> Result<Option<Remote>> {
        let remote = self.remote.as_mut().next().await.transpose()?;
        Ok(remote.and_then(Result::ok))
    }
}

impl PathState {
    fn of(found: LocalResult) -> Self {
        match found {
            Ok(local) => Self::LocalOnly(local),
            Err(skipped) => Self::Unreadable(skipped),
        }
    }
}
