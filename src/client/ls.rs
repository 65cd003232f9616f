//! `ls`: lists datasets.

use chrono::SecondsFormat;
use clap::Args;

use super::Context;
use super::api::{Entry, Listing};
use super::arguments::Common;
use super::error::Result;
use super::exit::{self, Exit};
use super::output::printable;
use super::size::human;

const EXAMPLES: &str = "\
Examples:
  upload-broker ls                        what is at the top
  upload-broker ls /data/                 what is in the folder
  upload-broker ls -l -r /data/2026       every path that starts like this, with sizes
  upload-broker ls -r --json | jq -s 'map(.size) | add'";

/// What to list.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// Paths that start like this; end it with a slash to look into a folder
    #[arg(value_name = "PREFIX", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Show size, time and the state of the upload behind each dataset
    #[arg(long, short)]
    long: bool,
    /// Show sizes as exact numbers of bytes
    #[arg(long, requires = "long")]
    bytes: bool,
    /// List everything below, not the next level with its folders
    #[arg(long, short)]
    recursive: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Lists page by page, in the order of the paths.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let listing = Listing {
        prefix: arguments.prefix.clone(),
        folders: !arguments.recursive,
        with_upload: arguments.long,
    };
    let (mut next, mut any) = (None, false);
    loop {
        let page = context.api.datasets(&listing, next.as_deref()).await?;
        any |= !page.items.is_empty();
        for entry in &page.items {
            context.output.result(entry, || words(entry, &arguments))?;
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    if !any && !arguments.prefix.is_empty() {
        let prefix = printable(&arguments.prefix);
        context
            .output
            .note(&format!("no path starts with {prefix}"));
    }
    Ok(Exit::Done)
}

fn words(entry: &Entry, arguments: &Arguments) -> String {
    let path = match (&entry.path, &entry.key) {
        (Some(path), _) => printable(path),
        (None, key) => format!(
            "(no path) {}",
            printable(key.as_deref().unwrap_or_default())
        ),
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
