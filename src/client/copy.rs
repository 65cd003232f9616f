//! `cp` and `mv`: the broker copies a dataset inside the store, so no bytes pass through this
//! client.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::api::Copy;
use super::api::wire::Upload;
use super::arguments::Common;
use super::context::Context;
use super::error::{Error, Result};
use super::exit::{self, Exit};
use super::output::printable;
use super::size::human;

/// The time between two requests for a copy that is still Pending.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  upload-broker cp /data/employees.csv /backup/employees.csv
  upload-broker mv /in/employees.csv /data/              into a folder, under the same name

The copy is proven like an upload and becomes a separate dataset. `mv` deletes the source once
the copy is proven.";

/// The arguments of `cp` and `mv`.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// Path of the dataset
    from: String,
    /// Path of the copy; a path that ends with a slash is a folder
    to: String,
    /// Replace an existing dataset
    #[arg(long)]
    overwrite: bool,
    /// Replace only the version with this ETag
    #[arg(long, value_name = "ETAG", conflicts_with = "overwrite")]
    if_match: Option<String>,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Copies a dataset, and deletes the source afterwards if `moves` is set.
pub async fn run(context: &Context, arguments: Arguments, moves: bool) -> Result<Exit> {
    let from = &arguments.from;
    let copy = Copy {
        to: target(from, &arguments.to)?,
        overwrite: arguments.overwrite,
        if_match: arguments.if_match,
        moves,
    };
    // The same idempotency key returns the same copy, even after a lost response.
    let key = Uuid::new_v4().to_string();
    let mut upload = context.api.copy(from, &copy, &key).await?;
    while upload.status == "Pending" {
        tokio::time::sleep(POLL_INTERVAL).await;
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
    let text = || format!("{verb} {from} to {to} ({size})");
    context.output.result(&value, text)
}

/// The path of the copy.
fn target(from: &str, to: &str) -> Result<String> {
    let name = from.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        let what = "folders cannot be copied: give the path of a dataset";
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
    fn target_appends_dataset_name_to_folder() {
        let to = |from, to| target(from, to).ok();
        assert_eq!(to("/a/b.csv", "/c/").as_deref(), Some("/c/b.csv"));
        assert_eq!(to("a/b.csv", "c").as_deref(), Some("/c"));
        assert_eq!(to("/a/", "/c"), None);
    }
}
