//! `plan`: writes a processing plan for the datasets below a prefix.
//!
//! The plan is printed, so that it can be read and changed before it is uploaded. An entry that cannot
//! be part of it ends the command, because a merge without it would be wrong.

use std::path::{Path, PathBuf};

use clap::Args;
use futures::stream::TryStreamExt as _;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::api::{Entry, Listing};
use super::arguments::Common;
use super::context::Context;
use super::error::{Error, Result};
use super::exit::{self, Exit};
use super::output::printable;

/// The largest number of datasets in a plan.
const MAX_INPUTS: usize = 10_000;

const EXAMPLES: &str = "\
Examples:
  upload-broker plan --options options.json /plays/2026/ > plan.json
  upload-broker put --content-type application/vnd.upload-broker.plan+json plan.json /plans/2026.json

The results of csv-aggregate on each dataset become one result when a rule runs csv-merge on the plan.";

/// The arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// The datasets: all paths that start with this
    #[arg(value_name = "PREFIX")]
    prefix: String,
    /// The processor of the datasets
    #[arg(long, value_name = "NAME", default_value = "csv-aggregate")]
    processor: String,
    /// File with the options of the processor in JSON
    #[arg(long, value_name = "FILE")]
    options: PathBuf,
    #[command(flatten)]
    pub(super) common: Common,
}

/// A plan, as the broker reads it.
#[derive(Serialize)]
struct Plan {
    processor: String,
    options: Map<String, Value>,
    inputs: Vec<PlannedInput>,
}

/// A dataset of a plan.
#[derive(Serialize)]
struct PlannedInput {
    upload_id: Uuid,
    path: String,
    etag: String,
}

/// Prints the plan.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let mut plan = Plan {
        options: read_options(&arguments.options)?,
        processor: arguments.processor,
        inputs: Vec::new(),
    };
    let entries = context.api.entries(Listing {
        prefix: arguments.prefix.clone(),
        folders: false,
        with_upload: true,
    });
    let mut entries = std::pin::pin!(entries);
    while let Some(entry) = entries.try_next().await? {
        plan.inputs.push(input_of(entry)?);
        if plan.inputs.len() > MAX_INPUTS {
            let what = format!("cannot write the plan: there are more than {MAX_INPUTS} datasets");
            return Err(Error::Failed(what));
        }
    }
    if plan.inputs.is_empty() {
        let prefix = printable(&arguments.prefix);
        let what = format!("cannot write the plan: no dataset path starts with {prefix}");
        return Err(Error::Failed(what));
    }
    context.output.result(&plan, || {
        serde_json::to_string_pretty(&plan).unwrap_or_default()
    })?;
    Ok(Exit::Done)
}

fn read_options(file: &Path) -> Result<Map<String, Value>> {
    let unreadable = |source| Error::local(format!("cannot read {}", file.display()), source);
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    serde_json::from_str(&text).map_err(|error| unreadable(error.into()))
}

/// Returns an entry as an input of the plan. Only the proven bytes of an upload can be one.
fn input_of(entry: Entry) -> Result<PlannedInput> {
    let refuse = |what: &str| {
        let shown = match entry.address() {
            Ok(path) => printable(path),
            Err(key) => printable(key),
        };
        Error::Failed(format!("cannot write the plan: {shown} {what}"))
    };
    let path = entry.address().map_err(|_| refuse("has no path"))?;
    let upload = (entry.upload.as_ref()).ok_or_else(|| refuse("belongs to no upload"))?;
    if entry.drifted {
        return Err(refuse("is not what was uploaded"));
    }
    let etag = entry.etag.as_ref().ok_or_else(|| refuse("has no ETag"))?;
    Ok(PlannedInput {
        upload_id: upload.id,
        path: path.to_owned(),
        etag: etag.clone(),
    })
}
