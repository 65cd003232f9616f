//! Deletes what only the target has. The source is read a second time for it, after all transfers.
//! A source entry that cannot be read then aborts the deletion, because it would look as if it did
//! not exist.

use std::fs;
use std::path::Path;

use futures::stream::TryStreamExt as _;
use serde_json::json;

use super::down::local_files;
use super::merge::{PathState, Remote, merge};
use super::run::SyncRun;
use crate::client::api::DeleteOptions;
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::output::printable;
use crate::client::rm;
use crate::client::walk::{self, Links, Local, SkippedEntry};

/// How many datasets are deleted at a time.
const CONCURRENT_DELETES: usize = 8;

/// Deletes the datasets that have no local file.
pub(super) async fn datasets(sync: &SyncRun<'_>, root: &Path, folder: &str) -> Result<Exit> {
    let local = (walk::stream(root, Links::Follow), root);
    let remote = (sync.context.api.entries_below(folder), folder);
    let extra = merge(local, remote, &sync.rules).try_filter_map(async |state| match state {
        PathState::RemoteOnly(remote) => Ok(Some(remote)),
        PathState::Unreadable(skipped) => Err(unreadable(skipped)),
        _ => Ok(None),
    });
    let ends = extra.map_ok(|remote| dataset(sync, remote));
    let mut ends = std::pin::pin!(ends.try_buffer_unordered(CONCURRENT_DELETES));
    let mut worst = Exit::Done;
    while let Some(end) = ends.try_next().await? {
        worst = worst.max(end);
    }
    Ok(worst)
}

async fn dataset(sync: &SyncRun<'_>, remote: Remote) -> Result<Exit> {
    sync.counts.add(|counts| &counts.deleted);
    match sync.report_dry_run("delete", &remote.path, "")? {
        true => Ok(Exit::Done),
        false => rm::delete(sync.context, &remote.path, DeleteOptions::default()).await,
    }
}

/// Deletes the local files that have no dataset, and then the folders that became empty.
pub(super) async fn files(sync: &SyncRun<'_>, folder: &str, root: &Path) -> Result<Exit> {
    let remote = (sync.context.api.entries_below(folder), folder);
    let extra = merge((local_files(root), root), remote, &sync.rules);
    let mut extra = std::pin::pin!(extra);
    let mut worst = Exit::Done;
    while let Some(state) = extra.try_next().await? {
        match state {
            PathState::LocalOnly(local) => worst = worst.max(file(sync, &local, root)?),
            PathState::Unreadable(skipped) => return Err(unreadable(skipped)),
            _ => {}
        }
    }
    Ok(worst)
}

fn file(sync: &SyncRun<'_>, local: &Local, root: &Path) -> Result<Exit> {
    sync.counts.add(|counts| &counts.deleted);
    let name = local.file.display().to_string();
    if sync.report_dry_run("delete", "", &name)? {
        return Ok(Exit::Done);
    }
    let output = &sync.context.output;
    if let Err(error) = fs::remove_file(&local.file) {
        let what = "cannot delete the file".to_owned();
        return output.report_failure(&name, Error::local(what, error));
    }
    let folders = local.file.ancestors().skip(1);
    for folder in folders.take_while(|folder| *folder != root) {
        // A folder that is not empty remains.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    let text = || format!("deleted {}", printable(&name));
    output.result(&json!({"file": name, "deleted": true}), text)?;
    Ok(Exit::Done)
}

/// The error for an unreadable local entry, which aborts the deletion.
fn unreadable(skipped: SkippedEntry) -> Error {
    let (file, reason) = (skipped.file.display(), skipped.reason);
    Error::Failed(format!("{file} {reason}: the deletion was aborted"))
}
