//! `status`: where an upload stands.

mod words;

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use super::Context;
use super::api::Filter;
use super::api::wire::{Parts, Upload};
use super::arguments::Common;
use super::error::{Error, Result};
use super::exit::{self, Exit};
use super::output::printable;
use crate::lifecycle::backoff::Backoff;

const EXAMPLES: &str = "\
Examples:
  upload-broker status /data/employees.csv
  upload-broker status --watch 0199a3c0-71d8-75a2-8a89-a4cc92ec102f
  upload-broker status --json /data/employees.csv | jq .progress.missing

With --watch it ends with 0 once the upload is proven, 7 where other bytes came than were
promised, and 1 where it expired, was cancelled or deleted.";

/// Which upload.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// The id of the upload, or a path: its newest upload
    #[arg(value_name = "ID|PATH")]
    upload: String,
    /// Go on until the upload has ended one way or the other
    #[arg(long, short)]
    watch: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

/// An upload, with how much of it the store has.
#[derive(Debug, Serialize)]
struct Seen {
    #[serde(flatten)]
    upload: Upload,
    /// Of one in parts, while it is Pending.
    progress: Option<Progress>,
}

/// The parts that the store has.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Progress {
    uploaded_parts: usize,
    uploaded_bytes: u64,
    part_count: Option<u32>,
    missing: Vec<(u32, u32)>,
}

/// The time between two requests for the state of an upload; it grows while nothing changes.
const POLLING: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(5));

/// Shows it once, or whenever something changes until nothing will.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let id = find(context, &arguments.upload).await?;
    let mut shown: Option<Seen> = None;
    let mut unchanged = 0;
    loop {
        let seen = look(context, id).await?;
        if shown.as_ref().is_none_or(|before| before.differs(&seen)) {
            context.output.result(&seen, || words::words(&seen))?;
            unchanged = 0;
        }
        if !arguments.watch {
            return Ok(Exit::Done);
        }
        if seen.upload.is_settled() {
            return Ok(end(&seen.upload));
        }
        shown = Some(seen);
        unchanged += 1;
        tokio::time::sleep(POLLING.delay(unchanged)).await;
    }
}

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
        Error::NotFound(format!("no upload was made for {path}"))
    })
}

async fn look(context: &Context, id: Uuid) -> Result<Seen> {
    let upload = context.api.read(id).await?;
    let in_parts = upload.status == "Pending" && upload.multipart.is_some();
    let progress = match in_parts {
        true => match context.api.parts(id).await {
            Ok(parts) => Some(parts.into()),
            // It may have ended between the two looks, or is being completed: its parts are an
            // object already, and the row does not know it yet.
            Err(error)
                if ["invalid-status", "object-missing"]
                    .iter()
                    .any(|code| error.is_problem(code)) =>
            {
                None
            }
            Err(error) => return Err(error),
        },
        false => None,
    };
    Ok(Seen { upload, progress })
}

/// How `--watch` ends.
fn end(upload: &Upload) -> Exit {
    match upload.status.as_str() {
        _ if upload.is_proven() => Exit::Done,
        // It was proven, and then replaced.
        "Superseded" => Exit::Done,
        "Error" => Exit::Mismatch,
        _ => Exit::Failed,
    }
}

impl Seen {
    fn differs(&self, other: &Self) -> bool {
        let drift = |seen: &Self| seen.upload.drift.is_some();
        self.upload.status != other.upload.status
            || self.progress != other.progress
            || drift(self) != drift(other)
    }
}

impl From<Parts> for Progress {
    fn from(parts: Parts) -> Self {
        Self {
            uploaded_parts: parts.uploaded.len(),
            uploaded_bytes: parts.uploaded.iter().map(|part| part.size).sum(),
            part_count: parts.part_count,
            missing: parts.missing,
        }
    }
}
