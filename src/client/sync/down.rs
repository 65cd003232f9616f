//! Synchronizes a folder of the broker to a local folder.

use std::path::Path;

use futures::future::Either;
use futures::stream::{self, Stream, StreamExt as _, TryStreamExt as _};

use super::merge::{PathState, Remote, merge};
use super::run::SyncRun;
use crate::client::compare::{Comparison, compare};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::get::{DestinationFolder, Target, download};
use crate::client::s3::S3;
use crate::client::walk::{self, Links, Local, SkippedEntry};

/// Downloads the datasets that differ. Returns the most severe exit code.
///
/// # Errors
/// [`Error::NotFound`] if the folder contains no dataset.
pub(super) async fn down(sync: &SyncRun<'_>, folder: &str, root: &Path) -> Result<Exit> {
    let mut entries = Box::pin(sync.context.api.entries_below(folder).peekable());
    if entries.as_mut().peek().await.is_none() {
        return Err(Error::NotFound(format!(
            "there is no dataset below {folder}"
        )));
    }
    let downloads = Downloads {
        sync,
        s3: S3::new()?,
        destination: match sync.dry_run {
            true => None,
            false => Some(DestinationFolder::open(root)?),
        },
        root,
    };
    let remote = (entries, folder);
    let ends = merge((local_files(root), root), remote, &sync.rules)
        .map_ok(|state| downloads.state(state));
    let at_once = usize::from(sync.parallel);
    let mut ends = std::pin::pin!(ends.try_buffer_unordered(at_once));
    let mut worst = Exit::Done;
    while let Some(end) = ends.try_next().await? {
        worst = worst.max(end);
    }
    Ok(worst)
}

/// The local files. Symbolic links are neither followed nor replaced, because their targets are not
/// in the folder.
pub(super) fn local_files(root: &Path) -> impl Stream<Item = Result<Local, SkippedEntry>> + use<> {
    match root.exists() {
        true => Either::Left(walk::stream(root, Links::Ignore)),
        false => Either::Right(stream::empty()),
    }
}

/// What all downloads of one run share.
struct Downloads<'a> {
    sync: &'a SyncRun<'a>,
    s3: S3,
    /// `None` in a dry run.
    destination: Option<DestinationFolder>,
    root: &'a Path,
}

impl Downloads<'_> {
    /// Processes one path, and returns its exit code.
    async fn state(&self, state: PathState) -> Result<Exit> {
        let (remote, local) = match state {
            PathState::LocalOnly(_) => return Ok(Exit::Done),
            PathState::WithoutPath(key) => {
                return self.sync.skip_without_path(&key).map(|()| Exit::Done);
            }
            PathState::Unreadable(skipped) => {
                let subject = skipped.file.display().to_string();
                let error = Error::Skipped(skipped.reason);
                return self.sync.context.output.report_failure(&subject, error);
            }
            PathState::RemoteOnly(remote) => (remote, None),
            PathState::Both(local, remote) => (remote, Some(local)),
        };
        self.sync.counts.add(|counts| &counts.source_files);
        match self.dataset(&remote, local).await {
            Ok(()) => Ok(Exit::Done),
            Err(error) => self.sync.context.output.report_failure(&remote.path, error),
        }
    }

    async fn dataset(&self, remote: &Remote, local: Option<Local>) -> Result<()> {
        let SyncRun {
            context, counts, ..
        } = self.sync;
        let mut known = None;
        if let Some(local) = &local
            && local.metadata.len() == remote.size
        {
            let detail = context.api.dataset(&remote.path).await?;
            let comparison = compare(&local.file, detail.size, detail.checksum.as_ref()).await?;
            if comparison == Comparison::Same {
                counts.add(|counts| &counts.same);
                return Ok(());
            }
            known = Some(detail);
        }
        counts.add(|counts| &counts.transferred);
        let file = self.root.join(&remote.relative_path).display().to_string();
        let is_dry_run = self.sync.report_dry_run("download", &remote.path, &file)?;
        let Some(destination) = self.destination.as_ref().filter(|_| !is_dry_run) else {
            return Ok(());
        };
        let file = destination.prepare_file(&remote.relative_path)?;
        let detail = match known {
            Some(detail) => detail,
            None => context.api.dataset(&remote.path).await?,
        };
        let target = Target::at(file, local.is_some());
        download(context, &self.s3, detail, &target).await
    }
}
