//! From here to the broker.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::Sync;
use super::steps::{Remote, Step, steps};
use crate::client::compare::{Likeness, compare};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::put::{Item, Options, Put, Stamp};
use crate::client::walk::{self, LeftOut, Links, Local};

/// How many files are compared at once.
const COMPARED: usize = 8;

/// Uploads what differs. Ends as the worst of the files.
pub(super) async fn up(sync: &Sync<'_>, root: &Path, folder: &str) -> Result<Exit> {
    let context = sync.context;
    let local = (walk::stream(root, Links::Follow), root);
    let remote = (context.api.below(folder), folder);
    let due = steps(local, remote, &sync.rules)
        .map_ok(|step| due(sync, folder, step))
        .try_buffer_unordered(COMPARED)
        .try_filter_map(async |due| Ok(due));
    // What ends the whole run ends the stream, and is kept until the files before it are through.
    let fault = Mutex::new(None);
    let items = due.scan((), |(), due| {
        let item = due.map_err(|error: Error| {
            *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        });
        std::future::ready(item.ok())
    });
    let put = Put::new(context, Options::default(), sync.parallel)?;
    let transfer = Arc::new(context.output.transfer(folder, None, 0));
    let worst = put.files(items, &transfer).await?;
    drop(transfer);
    match fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(worst),
    }
}

/// What is to be done about a step; nothing where both sides are the same.
async fn due(sync: &Sync<'_>, folder: &str, step: Step) -> Result<Option<Result<Item, LeftOut>>> {
    let (local, replaces) = match step {
        Step::There(_) => return Ok(None),
        Step::WithoutPath(key) => return sync.leave_out(&key).map(|()| None),
        Step::Unreadable(left) => return Ok(Some(Err(left))),
        Step::Here(local) => (local, false),
        Step::Both(local, remote) => match is_same(sync, &local, &remote).await {
            Ok(true) => {
                sync.tally.add(|tally| &tally.modelled);
                sync.tally.add(|tally| &tally.same);
                return Ok(None);
            }
            Ok(false) => (local, true),
            Err(Error::Local { source, .. }) => {
                let reason = format!("cannot be read: {source}");
                return Ok(Some(Err(LeftOut {
                    file: local.file,
                    reason,
                })));
            }
            Err(error) => return Err(error),
        },
    };
    sync.tally.add(|tally| &tally.modelled);
    sync.tally.add(|tally| &tally.transferred);
    let path = format!("{folder}{}", local.below);
    let file = local.file.display().to_string();
    if sync.is_rehearsed("upload", &path, &file)? {
        return Ok(None);
    }
    Ok(Some(Ok(item(local.file, path, &local.about, replaces))))
}

fn item(file: PathBuf, path: String, about: &std::fs::Metadata, replaces: bool) -> Item {
    Item {
        file,
        path,
        stamp: Stamp::of(about),
        replaces,
    }
}

async fn is_same(sync: &Sync<'_>, local: &Local, remote: &Remote) -> Result<bool> {
    if local.about.len() != remote.size {
        return Ok(false);
    }
    let detail = match sync.context.api.dataset(&remote.path).await {
        Ok(detail) => detail,
        Err(error) if error.exit() == Exit::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let likeness = compare(&local.file, detail.size, detail.checksum.as_ref()).await?;
    Ok(likeness == Likeness::Same)
}
