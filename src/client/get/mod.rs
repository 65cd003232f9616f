//! `get`: downloads a dataset, and proves that what came is what was promised.

mod fetch;
mod leftovers;
mod part;
mod sink;
mod target;

use clap::Args;
use serde_json::json;

use super::Context;
use super::api::Detail;
use super::arguments::Common;
use super::error::{Error, Result};
use super::exit::{self, Exit};
use super::output::printable;
use super::s3::S3;
use super::size::human;
use fetch::{Fetched, Setback};
use sink::Level;
use target::Target;

const EXAMPLES: &str = "\
Examples:
  upload-broker get /data/employees.csv                  to ./employees.csv
  upload-broker get /data/employees.csv backup/          into a folder
  upload-broker get /data/employees.csv - | head         to standard output

The bytes go to a hidden file beside the target, which takes its name once its checksum is the
one that the store promised. After an interruption the same command goes on where it stopped.";

/// What to download, and where to.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// The path of the dataset
    path: String,
    /// A file, a folder, or - for standard output; by default the dataset's own name
    #[arg(value_name = "FILE|FOLDER|-")]
    to: Option<String>,
    /// Replace the file that is there
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

/// How often a download begins anew because the dataset was replaced under it.
const REPLACED: u32 = 5;

/// Downloads.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let target = Target::of(&arguments.path, arguments.to.as_deref(), arguments.force)?;
    if target.is_stdout() && context.output.is_json() {
        let what = "the dataset and --json cannot both go to standard output";
        return Err(Error::settings(what));
    }
    let s3 = S3::new()?;
    let (mut replaced, mut spoilt) = (0, 0);
    loop {
        let detail = context.api.dataset(&arguments.path).await?;
        if detail.drifted {
            let path = printable(&detail.path);
            let what = format!("{path} is no longer the object that was proven when it came");
            context.output.warn(&what);
        }
        match fetch::fetch(context, &s3, &detail, &target).await {
            Ok(fetched) => {
                tell(context, &detail, &target, &fetched)?;
                return Ok(Exit::Done);
            }
            Err(Setback::Over(error)) => return Err(error),
            Err(Setback::Replaced) if replaced < REPLACED => {
                replaced += 1;
                context
                    .output
                    .note("the dataset was replaced meanwhile: from its start again");
            }
            Err(Setback::Replaced) => {
                let what = format!("the dataset was replaced {} times meanwhile", replaced + 1);
                return Err(Error::Conflict(what));
            }
            // Once may be the disk, or the wire; twice is for somebody to look at.
            Err(Setback::Spoilt(what)) if spoilt == 0 => {
                spoilt += 1;
                context
                    .output
                    .warn(&format!("{what}: thrown away, once more from its start"));
            }
            Err(Setback::Spoilt(what)) => {
                return Err(Error::Mismatch(format!("{what}, twice: nothing was kept")));
            }
        }
    }
}

fn tell(context: &Context, detail: &Detail, target: &Target, fetched: &Fetched) -> Result<()> {
    let (path, size) = (printable(&detail.path), human(detail.size));
    let level = match &fetched.level {
        Level::Checksum(checksum) => format!("{} is right", checksum.algorithm),
        Level::Size(reason) => {
            let what = format!("{path}: only its size could be checked: {reason}");
            context.output.note(&what);
            "size is right".to_owned()
        }
    };
    let Some(file) = target.file() else {
        context.output.note(&format!("{path} ({size}, {level})"));
        return Ok(());
    };
    let value = json!({
        "path": detail.path,
        "file": file.display().to_string(),
        "size": detail.size,
        "etag": detail.etag,
        "version_id": detail.version_id,
        "checksum": match &fetched.level {
            Level::Checksum(checksum) => Some(checksum),
            Level::Size(_) => None,
        },
        "level": match &fetched.level {
            Level::Checksum(_) => "checksum",
            Level::Size(_) => "size",
        },
        "resumed_at": fetched.resumed_at,
    });
    let file = printable(&file.display().to_string());
    context
        .output
        .result(&value, || format!("{file}  {path} ({size}, {level})"))
}
