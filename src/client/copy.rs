//! `cp` and `mv`: the broker copies a dataset, and no byte of it comes by here.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::Context;
use super::api::Copy;
use super::api::wire::Upload;
use super::arguments::Common;
use super::error::{Error, Result};
use super::exit::{self, Exit};
use super::output::printable;
use super::size::human;

/// How long to wait before a copy that goes on is asked for again.
const AGAIN: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  upload-broker cp /data/employees.csv /backup/employees.csv
  upload-broker mv /in/employees.csv /data/              into a folder, by its own name

The copy is proven like an upload, and becomes a dataset of its own. `mv` deletes the dataset that
was copied once the copy is proven.";

/// What to copy, and where to.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// The path of the dataset
    from: String,
    /// The path of the copy; one that ends with a slash is a folder to put it into
    to: String,
    /// Replace what stands there
    #[arg(long)]
    overwrite: bool,
    /// Replace exactly the version with this ETag
    #[arg(long, value_name = "ETAG", conflicts_with = "overwrite")]
    if_match: Option<String>,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Copies, or moves where the source is to go.
pub async fn run(context: &Context, arguments: Arguments, moves: bool) -> Result<Exit> {
    let from = &arguments.from;
    let copy = Copy {
        to: target(from, &arguments.to)?,
        overwrite: arguments.overwrite,
        if_match: arguments.if_match,
        moves,
    };
    // The same key finds the same copy again, after a lost answer as well.
    let key = Uuid::new_v4().to_string();
    let mut upload = context.api.copy(from, &copy, &key).await?;
    while upload.status == "Pending" {
        tokio::time::sleep(AGAIN).await;
        upload = context.api.copy(from, &copy, &key).await?;
    }
    report(context, from, &upload, moves)?;
    Ok(Exit::Done)
}

fn report(context: &Context, from: &str, upload: &Upload, moves: bool) -> Result<()> {
    let object = upload.object.as_ref();
    let proof = upload.verification.as_ref();
    let value = json!({
        "from": from,
        "path": upload.path,
        "upload_id": upload.id,
        "status": upload.status,
        "size": object.map(|object| object.size),
        "etag": object.map(|object| &object.etag),
        "version_id": object.and_then(|object| object.version_id.as_ref()),
        "checksum": object.and_then(|object| object.checksum.as_ref()),
        "level": proof.map(|proof| &proof.level),
        "moved": moves,
    });
    let verb = if moves { "moved" } else { "copied" };
    let size = human(object.map_or(0, |object| object.size));
    let (from, to) = (printable(from), printable(&upload.path));
    let words = || format!("{verb} {from} to {to} ({size})");
    context.output.result(&value, words)
}

/// The path of the copy.
fn target(from: &str, to: &str) -> Result<String> {
    let name = from.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        let what = "a folder is not copied as one: name the dataset";
        return Err(Error::settings(what));
    }
    let slash = if to.starts_with('/') { "" } else { "/" };
    let name = if to.ends_with('/') { name } else { "" };
    Ok(format!("{slash}{to}{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gets_the_dataset_by_its_own_name() {
        let to = |from, to| target(from, to).ok();
        assert_eq!(to("/a/b.csv", "/c/").as_deref(), Some("/c/b.csv"));
        assert_eq!(to("a/b.csv", "c").as_deref(), Some("/c"));
        assert_eq!(to("/a/", "/c"), None);
    }
}
