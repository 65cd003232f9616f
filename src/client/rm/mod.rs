//! `rm`: deletes datasets.

mod folder;
mod prompt;

use clap::Args;
use serde_json::json;

use super::Context;
use super::arguments::Common;
use super::error::{Error, Result};
use super::exit::{self, Exit};
use super::output::printable;

const EXAMPLES: &str = "\
Examples:
  upload-broker rm /data/employees.csv
  upload-broker rm -r /old/                     asks first; --yes does not
  upload-broker ls -r --json /old/ | jq -r '.path // empty' | xargs -d '\\n' upload-broker rm";

/// What to delete.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// The paths of the datasets; each is deleted for itself
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// The paths are folders: delete every dataset in them and below
    #[arg(long, short)]
    recursive: bool,
    /// Do not ask before a folder is deleted
    #[arg(long, short, requires = "recursive")]
    yes: bool,
    /// Delete also what was put in place of the proven bytes behind the broker's back
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Deletes one after the other, and ends as the worst of them.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let mut worst = Exit::Done;
    for path in &arguments.paths {
        let end = match arguments.recursive {
            true => folder::delete_below(context, path, &arguments).await?,
            false if path.trim_matches('/').is_empty() || path.ends_with('/') => {
                let what = "a folder is deleted with -r; `ls -r` lists what is in it";
                let error = Error::Failed(what.to_owned());
                context.output.failed(path, error)?
            }
            false => delete(context, path, arguments.force).await?,
        };
        worst = worst.max(end);
    }
    Ok(worst)
}

/// Deletes one dataset, and reports what became of it.
pub(super) async fn delete(context: &Context, path: &str, force: bool) -> Result<Exit> {
    match context.api.delete_dataset(path, force).await {
        Ok(()) => {
            let words = || format!("deleted {}", printable(path));
            let value = json!({"path": path, "deleted": true});
            context.output.result(&value, words)?;
            Ok(Exit::Done)
        }
        Err(error) => context.output.failed(path, error),
    }
}
