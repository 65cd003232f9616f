//! Deletes what the side to go by has not. That side is read a second time for it, when all is
//! transferred: an entry that cannot be read then ends the deletion, as it would seem to be gone.

use std::fs;
use std::path::Path;

use futures::stream::TryStreamExt as _;
use serde_json::json;

use super::down::local;
use super::steps::{Remote, Step, steps};
use super::{Sync, unreadable};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::output::printable;
use crate::client::rm;
use crate::client::walk::{self, Links, Local};

/// How many datasets are deleted at once.
const AT_ONCE: usize = 8;

/// Deletes the datasets that have no file here.
pub(super) async fn datasets(sync: &Sync<'_>, root: &Path, folder: &str) -> Result<Exit> {
    let local = (walk::stream(root, Links::Follow), root);
    let remote = (sync.context.api.below(folder), folder);
    let extra = steps(local, remote, &sync.rules).try_filter_map(async |step| match step {
        Step::There(remote) => Ok(Some(remote)),
        Step::Unreadable(left) => Err(unreadable(left)),
        _ => Ok(None),
    });
    let ends = extra.map_ok(|remote| dataset(sync, remote));
    let mut ends = std::pin::pin!(ends.try_buffer_unordered(AT_ONCE));
    let mut worst = Exit::Done;
    while let Some(end) = ends.try_next().await? {
        worst = worst.max(end);
    }
    Ok(worst)
}

async fn dataset(sync: &Sync<'_>, remote: Remote) -> Result<Exit> {
    sync.tally.add(|tally| &tally.deleted);
    match sync.is_rehearsed("delete", &remote.path, "")? {
        true => Ok(Exit::Done),
        false => rm::delete(sync.context, &remote.path, false).await,
    }
}

/// Deletes the files that have no dataset, and the folders that are empty then.
pub(super) async fn files(sync: &Sync<'_>, folder: &str, root: &Path) -> Result<Exit> {
    let remote = (sync.context.api.below(folder), folder);
    let extra = steps((local(root), root), remote, &sync.rules);
    let mut extra = std::pin::pin!(extra);
    let mut worst = Exit::Done;
    while let Some(step) = extra.try_next().await? {
        match step {
            Step::Here(local) => worst = worst.max(file(sync, &local, root)?),
            Step::Unreadable(left) => return Err(unreadable(left)),
            _ => {}
        }
    }
    Ok(worst)
}

fn file(sync: &Sync<'_>, local: &Local, root: &Path) -> Result<Exit> {
    sync.tally.add(|tally| &tally.deleted);
    let name = local.file.display().to_string();
    if sync.is_rehearsed("delete", "", &name)? {
        return Ok(Exit::Done);
    }
    let output = &sync.context.output;
    if let Err(error) = fs::remove_file(&local.file) {
        let what = "cannot be deleted".to_owned();
        return output.failed(&name, Error::local(what, error));
    }
    let folders = local.file.ancestors().skip(1);
    for folder in folders.take_while(|folder| *folder != root) {
        // One that has something in it stays.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    let words = || format!("deleted {}", printable(&name));
    output.result(&json!({"file": name, "deleted": true}), words)?;
    Ok(Exit::Done)
}
