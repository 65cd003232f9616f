//! `rm -r`: deletes every dataset below a path.

use chrono::{DateTime, Utc};
use futures::stream::TryStreamExt as _;

use super::arguments::Arguments;
use super::delete::delete;
use super::prompt;
use crate::client::api::{DeleteOptions, Entry};
use crate::client::context::Context;
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::folder;
use crate::client::output::printable;
use crate::client::size::human;

/// How many datasets are deleted at a time.
const CONCURRENT_DELETES: usize = 8;

/// What the confirmation question was about.
#[derive(Default)]
struct Confirmed {
    datasets: u64,
    bytes: u64,
    /// The time of the newest dataset.
    newest: Option<DateTime<Utc>>,
}

/// Deletes the datasets in the folder and its subfolders, after a confirmation unless `--yes` is
/// given. Returns the most severe exit code.
///
/// # Errors
/// [`Error::Settings`] if a confirmation is needed but there is no terminal; [`Error::NotFound`] if
/// there is no dataset.
pub(super) async fn delete_below(
    context: &Context,
    path: &str,
    arguments: &Arguments,
) -> Result<Exit> {
    let folder = folder::normalize(path)?;
    let mut confirmed = None;
    if !arguments.yes {
        prompt::ensure_terminal()?;
        let found = count(context, &folder).await?;
        if found.datasets > 0 {
            let (datasets, size) = (found.datasets, human(found.bytes));
            let noun = if datasets == 1 { "dataset" } else { "datasets" };
            let shown = printable(&folder);
            let question = format!("Delete {datasets} {noun} ({size}) below {shown}?");
            if !prompt::confirm(&question).await? {
                return Err(Error::Failed("nothing was deleted".to_owned()));
            }
        }
        confirmed = Some(found);
    }
    let options = arguments.options();
    let entries = context.api.entries_below(&folder);
    let ends = entries.map_ok(|entry| remove(context, entry, options, confirmed.as_ref()));
    let mut ends = std::pin::pin!(ends.try_buffer_unordered(CONCURRENT_DELETES));
    let mut worst = None;
    while let Some(end) = ends.try_next().await? {
        worst = worst.max(Some(end));
    }
    worst.ok_or_else(|| Error::NotFound(format!("there is no dataset below {folder}")))
}

async fn count(context: &Context, folder: &str) -> Result<Confirmed> {
    let entries = context.api.entries_below(folder);
    let add = async |confirmed: Confirmed, entry: Entry| {
        Ok::<_, Error>(Confirmed {
            datasets: confirmed
                .datasets
                .saturating_add(u64::from(entry.address().is_ok())),
            bytes: (confirmed.bytes).saturating_add(entry.size.unwrap_or_default()),
            newest: confirmed.newest.max(entry.last_modified),
        })
    };
    entries.try_fold(Confirmed::default(), add).await
}

async fn remove(
    context: &Context,
    entry: Entry,
    options: DeleteOptions,
    confirmed: Option<&Confirmed>,
) -> Result<Exit> {
    let path = match entry.address() {
        Ok(path) => path,
        Err(key) => return context.output.report_failure(key, folder::without_path()),
    };
    // The confirmation does not cover datasets that were created after the question.
    if confirmed.is_some_and(|confirmed| entry.last_modified > confirmed.newest) {
        let what = "was created after the confirmation".to_owned();
        return context.output.report_failure(path, Error::Skipped(what));
    }
    delete(context, path, options).await
}
