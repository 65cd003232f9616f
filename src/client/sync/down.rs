//! From the broker to here.

use std::path::Path;

use futures::future::Either;
use futures::stream::{self, Stream, StreamExt as _, TryStreamExt as _};

use super::Sync;
use super::steps::{Remote, Step, steps};
use crate::client::compare::{Likeness, compare};
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::get::{Places, Target, download};
use crate::client::s3::S3;
use crate::client::walk::{self, LeftOut, Links, Local};

/// Downloads what differs. Ends as the worst of the datasets.
///
/// # Errors
/// [`Error::NotFound`] where no dataset is in the folder.
pub(super) async fn down(sync: &Sync<'_>, folder: &str, root: &Path) -> Result<Exit> {
    let mut entries = Box::pin(sync.context.api.below(folder).peekable());
    if entries.as_mut().peek().await.is_none() {
        return Err(Error::NotFound(format!("no dataset is below {folder}")));
    }
    let downs = Downs {
        sync,
        s3: S3::new()?,
        places: match sync.dry_run {
            true => None,
            false => Some(Places::below(root)?),
        },
        root,
    };
    let remote = (entries, folder);
    let ends = steps((local(root), root), remote, &sync.rules).map_ok(|step| downs.step(step));
    let at_once = usize::from(sync.parallel);
    let mut ends = std::pin::pin!(ends.try_buffer_unordered(at_once));
    let mut worst = Exit::Done;
    while let Some(end) = ends.try_next().await? {
        worst = worst.max(end);
    }
    Ok(worst)
}

/// The files that are here. Links are neither followed nor replaced: what they lead to is not in
/// the folder.
pub(super) fn local(root: &Path) -> impl Stream<Item = Result<Local, LeftOut>> + use<> {
    match root.exists() {
        true => Either::Left(walk::stream(root, Links::Ignore)),
        false => Either::Right(stream::empty()),
    }
}

/// What every download works with.
struct Downs<'a> {
    sync: &'a Sync<'a>,
    s3: S3,
    /// None where nothing is written.
    places: Option<Places>,
    root: &'a Path,
}

impl Downs<'_> {
    /// How it ends with what is found at one path.
    async fn step(&self, step: Step) -> Result<Exit> {
        let (remote, local) = match step {
            Step::Here(_) => return Ok(Exit::Done),
            Step::WithoutPath(key) => return self.sync.leave_out(&key).map(|()| Exit::Done),
            Step::Unreadable(left) => {
                let subject = left.file.display().to_string();
                let error = Error::LeftOut(left.reason);
                return self.sync.context.output.failed(&subject, error);
            }
            Step::There(remote) => (remote, None),
            Step::Both(local, remote) => (remote, Some(local)),
        };
        self.sync.tally.add(|tally| &tally.modelled);
        match self.dataset(&remote, local).await {
            Ok(()) => Ok(Exit::Done),
            Err(error) => self.sync.context.output.failed(&remote.path, error),
        }
    }

    async fn dataset(&self, remote: &Remote, local: Option<Local>) -> Result<()> {
        let Sync { context, tally, .. } = self.sync;
        let mut known = None;
        if let Some(local) = &local
            && local.about.len() == remote.size
        {
            let detail = context.api.dataset(&remote.path).await?;
            let likeness = compare(&local.file, detail.size, detail.checksum.as_ref()).await?;
            if likeness == Likeness::Same {
                tally.add(|tally| &tally.same);
                return Ok(());
            }
            known = Some(detail);
        }
        tally.add(|tally| &tally.transferred);
        let file = self.root.join(&remote.below).display().to_string();
        let rehearsed = self.sync.is_rehearsed("download", &remote.path, &file)?;
        let Some(places) = self.places.as_ref().filter(|_| !rehearsed) else {
            return Ok(());
        };
        let file = places.claim(&remote.below)?;
        let detail = match known {
            Some(detail) => detail,
            None => context.api.dataset(&remote.path).await?,
        };
        let target = Target::at(file, local.is_some());
        download(context, &self.s3, detail, &target).await
    }
}
