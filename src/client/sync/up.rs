//! Synchronizes a local folder to a folder of the broker.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::merge::{PathState, Remote, merge};
use super::run::SyncRun;
use crate::client::compare::{Comparison, compare};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::put::{Item, Options, Stamp, Uploader};
use crate::client::walk::{self, Links, Local, SkippedEntry};

/// How many files are compared at a time.
const CONCURRENT_COMPARISONS: usize = 8;

/// Uploads the files that differ. Returns the most severe exit code.
pub(super) async fn up(sync: &SyncRun<'_>, root: &Path, folder: &str) -> Result<Exit> {
    let context = sync.context;
    let local = (walk::stream(root, Links::Follow), root);
    let remote = (context.api.entries_below(folder), folder);
    let due = merge(local, remote, &sync.rules)
        .map_ok(|state| required_upload(sync, folder, state))
        .try_buffer_unordered(CONCURRENT_COMPARISONS)
        .try_filter_map(async |due| Ok(due));
    // An error that ends the run ends this stream. It is kept until the files before it are
    // uploaded.
    let fault = Mutex::new(None);
    let items = due.scan((), |(), due| {
        let item = due.map_err(|error: Error| {
            *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        });
        std::future::ready(item.ok())
    });
    let uploader = Uploader::new(context, Options::default(), sync.parallel)?;
    let transfer = Arc::new(context.output.transfer(folder, None, 0));
    let worst = uploader.files(items, &transfer).await?;
    drop(transfer);
    match fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(worst),
    }
}

/// The upload that a path needs; `None` if both sides are equal.
async fn required_upload(
    sync: &SyncRun<'_>,
    folder: &str,
    state: PathState,
) -> Result<Option<Result<Item, SkippedEntry>>> {
    let (local, replaces) = match state {
        PathState::RemoteOnly(_) => return Ok(None),
        PathState::WithoutPath(key) => return sync.skip_without_path(&key).map(|()| None),
        PathState::Unreadable(skipped) => return Ok(Some(Err(skipped))),
        PathState::LocalOnly(local) => (local, false),
        PathState::Both(local, remote) => match is_same(sync, &local, &remote).await {
            Ok(true) => {
                sync.counts.add(|counts| &counts.source_files);
                sync.counts.add(|counts| &counts.same);
                return Ok(None);
            }
            Ok(false) => (local, true),
            Err(Error::Local { source, .. }) => {
                let reason = format!("cannot be read: {source}");
                return Ok(Some(Err(SkippedEntry {
                    file: local.file,
                    reason,
                })));
            }
            Err(error) => return Err(error),
        },
    };
    sync.counts.add(|counts| &counts.source_files);
    sync.counts.add(|counts| &counts.transferred);
    let path = format!("{folder}{}", local.relative_path);
    let file = local.file.display().to_string();
    if sync.report_dry_run("upload", &path, &file)? {
        return Ok(None);
    }
    Ok(Some(Ok(item(local.file, path, &local.metadata, replaces))))
}

fn item(file: PathBuf, path: String, about: &std::fs::Metadata, replaces: bool) -> Item {
    Item {
        file,
        path,
        stamp: Stamp::of(about),
        replaces,
    }
}

async fn is_same(sync: &SyncRun<'_>, local: &Local, remote: &Remote) -> Result<bool> {
    if local.metadata.len() != remote.size {
        return Ok(false);
    }
    let detail = match sync.context.api.dataset(&remote.path).await {
        Ok(detail) => detail,
        Err(error) if error.exit() == Exit::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let comparison = compare(&local.file, detail.size, detail.checksum.as_ref()).await?;
    Ok(comparison == Comparison::Same)
}
