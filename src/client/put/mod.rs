//! `put`: uploads files, folders and standard input, and has the broker prove that they arrived.
//!
//! ```text
//!   sources ─▶ batch ─▶ resume ─▶ draft ─▶ file ─┬─▶ send    a whole file by one URL
//!                 │                              └─▶ parts   the parts that the store lacks
//!                 ├─▶ existing                     datasets that already have the bytes
//!                 └─▶ report                       what is printed
//!   pipe    ─▶ send                                standard input
//!   state                                          what the next run continues with
//! ```
//!
//! When an upload is killed, cut off or rejected for a while, the same command continues with the
//! parts that the store lacks. Nothing becomes a dataset before the broker has proven it.

mod acknowledge;
mod attempts;
mod batch;
mod draft;
mod existing;
mod file;
mod item;
mod options;
mod parts;
mod pipe;
mod plan;
mod report;
mod resume;
mod send;
mod slice;
mod sources;
mod stamp;
mod state;
mod uploaded_parts;
mod uploader;

use std::sync::Arc;

use clap::Args;

use super::arguments::Common;
use super::context::Context;
use super::error::Result;
use super::exit::{self, Exit};
pub(super) use item::Item;
pub(super) use options::Options;
use sources::Sources;
pub(super) use stamp::Stamp;
pub(super) use uploader::Uploader;

const EXAMPLES: &str = "\
Examples:
  upload-broker put employees.csv /data/employees.csv    one file, under a new name
  upload-broker put *.csv /data/                         several, into a folder
  upload-broker put results /data/2026                   a folder: /data/2026/…
  upload-broker put results /data/                       the same, to /data/results/…
  pg_dump db | upload-broker put - /backup/db.sql        standard input
  upload-broker put --overwrite --metadata team=hr employees.csv /data/employees.csv

Large files are sent in parts. After an interruption the same command continues where it stopped; a
file that changed in the meantime is sent again. Without a PATH, files go to / under their own names.";

/// The arguments of `put`.
#[derive(Debug, Args)]
#[command(
    override_usage = "upload-broker put [OPTIONS] <FILE|FOLDER|->... [PATH]",
    after_help = format!("{EXAMPLES}\n\n{}", exit::HELP)
)]
pub struct Arguments {
    /// Files, folders, or - for standard input; then the path to upload to
    #[arg(required = true, value_name = "FILE|FOLDER|-... PATH")]
    names: Vec<String>,
    #[command(flatten)]
    options: Options,
    /// Continue where an earlier run stopped; this is the default
    #[arg(long, overrides_with = "no_resume")]
    resume: bool,
    /// Start again, even if an earlier run can be continued
    #[arg(long, overrides_with = "resume")]
    no_resume: bool,
    /// How many files or parts to send at a time; four times as many of files under 1 MiB
    #[arg(long, value_name = "N", default_value_t = 4,
        value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Runs `put`. Returns the most severe exit code of the files.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let sources = Sources::of(&arguments.names)?;
    let mut uploader = Uploader::new(context, arguments.options, arguments.parallel)?;
    uploader.resume = !arguments.no_resume;
    match sources {
        Sources::Stdin(path) => {
            let transfer = Arc::new(context.output.transfer(&path, None, 0));
            let done = uploader.pipe(&path, tokio::io::stdin(), &transfer).await?;
            drop(transfer);
            uploader.report("-", &done)?;
            Ok(Exit::Done)
        }
        Sources::Files(sources) => uploader.sources(sources).await,
    }
}
