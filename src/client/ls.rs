//! `ls`: lists datasets.

use chrono::SecondsFormat;
use clap::Args;
use futures::stream::TryStreamExt as _;

use super::api::{Entry, Listing};
use super::arguments::Common;
use super::context::Context;
use super::error::Result;
use super::exit::{self, Exit};
use super::output::printable;
use super::size::human;

const EXAMPLES: &str = "\
Examples:
  upload-broker ls                        the top level
  upload-broker ls /data/                 the content of a folder
  upload-broker ls -l -r /data/2026       every path with this prefix, with sizes
  upload-broker ls -r --json | jq -s 'map(.size) | add'";

/// The arguments of `ls`.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// Only paths with this prefix; end it with a slash to list a folder
    #[arg(value_name = "PREFIX", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Show size, time and upload status of each dataset
    #[arg(long, short)]
    long: bool,
    /// Show sizes in bytes
    #[arg(long, requires = "long")]
    bytes: bool,
    /// List all levels below the prefix, not only the next one
    #[arg(long, short)]
    recursive: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Prints the datasets page by page, in path order.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let entries = context.api.entries(Listing {
        prefix: arguments.prefix.clone(),
        folders: !arguments.recursive,
        with_upload: arguments.long,
    });
    let mut entries = std::pin::pin!(entries);
    let (mut any, mut without_path) = (false, 0_u64);
    while let Some(entry) = entries.try_next().await? {
        any = true;
        without_path += u64::from(entry.address().is_err());
        context
            .output
            .result(&entry, || format_entry(&entry, &arguments))?;
    }
    if without_path > 0 {
        context.output.warn(&format!(
            "{without_path} of these have no path, because their keys are not valid paths: get, rm and sync skip \
             them"
        ));
    }
    if !any && !arguments.prefix.is_empty() {
        let prefix = &arguments.prefix;
        context
            .output
            .note(&format!("no dataset path starts with {prefix}"));
    }
    Ok(Exit::Done)
}

fn format_entry(entry: &Entry, arguments: &Arguments) -> String {
    let path = match entry.address() {
        Ok(path) => printable(path),
        // Neither a shell nor this client takes this for a path.
        Err(key) => format!("(no path) {}", printable(key)),
    };
    if !arguments.long {
        return path;
    }
    let size = match entry.size {
        Some(size) if arguments.bytes => size.to_string(),
        Some(size) => human(size),
        None => String::new(),
    };
    let at = (entry.last_modified).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let state = match (&entry.upload, &entry.kind) {
        _ if entry.address().is_err() => "no-path",
        (_, Some(kind)) => kind.as_str(),
        _ if entry.drifted => "drifted",
        (Some(upload), None) => upload.status.as_str(),
        (None, None) => "-",
    };
    let width = if arguments.bytes { 15 } else { 12 };
    format!(
        "{size:>width$}  {:20}  {state:10}  {path}",
        at.unwrap_or_default()
    )
}
