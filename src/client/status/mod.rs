//! `status`: shows the status of an upload.

mod snapshot;
mod text;

use std::time::Duration;

use clap::Args;
use uuid::Uuid;

use super::api::Filter;
use super::api::wire::Upload;
use super::arguments::Common;
use super::context::Context;
use super::error::{Error, Result};
use super::exit::{self, Exit};
use super::output::printable;
use crate::lifecycle::backoff::Backoff;
use snapshot::Snapshot;

const EXAMPLES: &str = "\
Examples:
  upload-broker status /data/employees.csv
  upload-broker status --watch 0199a3c0-71d8-75a2-8a89-a4cc92ec102f
  upload-broker status --json /data/employees.csv | jq .progress.missing

With --watch the exit code is 0 once the upload is proven, 7 if the received bytes differ from the
expected ones, and 1 if the upload expired, was cancelled or was deleted.";

/// The arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// Id of an upload, or a path for its newest upload
    #[arg(value_name = "ID|PATH")]
    upload: String,
    /// Print every change until the upload has ended
    #[arg(long, short)]
    watch: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

/// The time between two requests for the status; it grows while nothing changes.
const POLLING: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(5));

/// Prints the status once; with `--watch`, after every change until the upload has ended.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let id = find(context, &arguments.upload).await?;
    let mut printed: Option<Snapshot> = None;
    let mut unchanged = 0;
    loop {
        let snapshot = Snapshot::fetch(&context.api, id).await?;
        if (printed.as_ref()).is_none_or(|before| before.differs(&snapshot)) {
            context
                .output
                .result(&snapshot, || text::format(&snapshot))?;
            unchanged = 0;
        }
        if !arguments.watch {
            return Ok(Exit::Done);
        }
        if snapshot.upload.is_final() {
            return Ok(exit_code(&snapshot.upload));
        }
        printed = Some(snapshot);
        unchanged += 1;
        tokio::time::sleep(POLLING.delay(unchanged)).await;
    }
}

/// The id of the upload that the argument names.
async fn find(context: &Context, upload: &str) -> Result<Uuid> {
    if let Ok(id) = Uuid::try_parse(upload) {
        return Ok(id);
    }
    let filter = Filter {
        path: Some(upload.to_owned()),
        limit: Some(1),
        ..Filter::default()
    };
    let page = context.api.uploads(&filter, None).await?;
    let newest = page.items.first().map(|upload| upload.id);
    newest.ok_or_else(|| {
        let path = printable(upload);
        Error::NotFound(format!("there is no upload for {path}"))
    })
}

/// The exit code of `--watch`.
fn exit_code(upload: &Upload) -> Exit {
    match upload.status.as_str() {
        _ if upload.is_proven() => Exit::Done,
        // It was proven, and later replaced by another upload.
        "Superseded" => Exit::Done,
        "Error" => Exit::Mismatch,
        _ => Exit::Failed,
    }
}
