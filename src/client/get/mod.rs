//! `get`: downloads a dataset, and proves that what came is what was promised.

mod fetch;
mod folder;
mod leftovers;
mod one;
mod part;
mod place;
mod sink;
mod target;

use clap::Args;

use super::Context;
use super::arguments::Common;
use super::error::{Error, Result};
use super::exit::{self, Exit};
use super::s3::S3;
pub(super) use one::download;
pub(super) use part::is_part;
pub(super) use place::Places;
pub(super) use target::Target;

const EXAMPLES: &str = "\
Examples:
  upload-broker get /data/employees.csv                  to ./employees.csv
  upload-broker get /data/employees.csv backup/          into a folder
  upload-broker get /data/employees.csv - | head         to standard output
  upload-broker get -r /data/2026 results                a folder: results/…

The bytes go to a hidden file beside the target, which takes its name once its checksum is the
one that the store promised. After an interruption the same command goes on where it stopped: files
that are there with the right bytes are left as they are.";

/// What to download, and where to.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// The path of the dataset; with -r, of a folder
    path: String,
    /// A file, a folder, or - for standard output; by default the dataset's own name
    #[arg(value_name = "FILE|FOLDER|-")]
    to: Option<String>,
    /// Replace files that are there
    #[arg(long, short)]
    force: bool,
    /// Download every dataset in the folder and below, into the folder that is given
    #[arg(long, short)]
    recursive: bool,
    /// How many datasets are downloaded at once, with -r
    #[arg(long, value_name = "N", default_value_t = 4, requires = "recursive",
        value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Downloads.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let to = arguments.to.as_deref();
    if arguments.recursive {
        return folder::run(context, &arguments).await;
    }
    let target = Target::of(&arguments.path, to, arguments.force)?;
    if target.is_stdout() && context.output.is_json() {
        let what = "the dataset and --json cannot both go to standard output";
        return Err(Error::settings(what));
    }
    let s3 = S3::new()?;
    let detail = context.api.dataset(&arguments.path).await?;
    one::download(context, &s3, detail, &target).await?;
    Ok(Exit::Done)
}
