//! `rm -r`: every dataset below a path.

use chrono::{DateTime, Utc};
use futures::stream::TryStreamExt as _;

use super::{Arguments, delete, prompt};
use crate::client::Context;
use crate::client::api::Entry;
use crate::client::error::{Error, Result};
use crate::client::exit::Exit;
use crate::client::folder;
use crate::client::output::printable;
use crate::client::size::human;

/// How many datasets are deleted at once.
const AT_ONCE: usize = 8;

/// What a person is asked about.
#[derive(Default)]
struct Counted {
    datasets: u64,
    bytes: u64,
    /// The time of the newest one.
    newest: Option<DateTime<Utc>>,
}

/// Deletes what is in the folder and below; asks first, unless it need not. Ends as the worst of
/// the datasets.
///
/// # Errors
/// [`Error::Settings`] where a person has to be asked and there is none; [`Error::NotFound`] where
/// nothing is there.
pub(super) async fn delete_below(
    context: &Context,
    path: &str,
    arguments: &Arguments,
) -> Result<Exit> {
    let folder = folder::of(path)?;
    let mut counted = None;
    if !arguments.yes {
        prompt::ensure_possible()?;
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
        counted = Some(found);
    }
    let entries = context.api.below(&folder);
    let ends = entries.map_ok(|entry| remove(context, entry, arguments.force, counted.as_ref()));
    let mut ends = std::pin::pin!(ends.try_buffer_unordered(AT_ONCE));
    let mut worst = None;
    while let Some(end) = ends.try_next().await? {
        worst = worst.max(Some(end));
    }
    worst.ok_or_else(|| Error::NotFound(format!("no dataset is below {folder}")))
}

async fn count(context: &Context, folder: &str) -> Result<Counted> {
    let entries = context.api.below(folder);
    let add = async |counted: Counted, entry: Entry| {
        Ok::<_, Error>(Counted {
            datasets: counted
                .datasets
                .saturating_add(u64::from(entry.address().is_ok())),
            bytes: (counted.bytes).saturating_add(entry.size.unwrap_or_default()),
            newest: counted.newest.max(entry.last_modified),
        })
    };
    entries.try_fold(Counted::default(), add).await
}

async fn remove(
    context: &Context,
    entry: Entry,
    force: bool,
    counted: Option<&Counted>,
) -> Result<Exit> {
    let path = match entry.address() {
        Ok(path) => path,
        Err(key) => return context.output.failed(key, folder::without_path()),
    };
    // What came after the question was not meant by the answer.
    if counted.is_some_and(|counted| entry.last_modified > counted.newest) {
        let what = "came after the question was asked".to_owned();
        return context.output.failed(path, Error::LeftOut(what));
    }
    delete(context, path, force).await
}
