//! `put`: uploads files, folders and standard input, and has the broker prove that they came.
//!
//! ```text
//!   sources ─▶ group ─▶ standing ─▶ file ─┬─▶ send     the whole by one URL
//!                                        └─▶ parts    what the store has not (there), by send
//!   pipe    ─▶ send                            of standard input
//!   state                                      what the next run goes on with
//! ```
//!
//! Killed, cut off or refused for a while, an upload stays where it is: the same command goes on
//! with the parts that the store has not. Nothing is a dataset before the broker has proven it.

mod attempts;
mod file;
mod group;
mod options;
mod parts;
mod pipe;
mod send;
mod slice;
mod sources;
mod standing;
mod state;
mod there;

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::Context;
use super::arguments::Common;
use super::error::Result;
use super::exit::{self, Exit};
use super::output::printable;
use super::retry::Patience;
use super::s3::S3;
use super::size::human;
use file::Done;
use options::Options;
use sources::Sources;

const EXAMPLES: &str = "\
Examples:
  upload-broker put employees.csv /data/employees.csv    one file, by its new name
  upload-broker put *.csv /data/                         several, into a folder
  upload-broker put results /data/2026                   a folder: /data/2026/…
  upload-broker put results /data/                       the same as /data/results/…
  pg_dump db | upload-broker put - /backup/db.sql        what comes out of a pipe
  upload-broker put --overwrite --metadata team=hr employees.csv /data/employees.csv

Large files go in parts. After an interruption the same command goes on where it stopped; a file
that changed meanwhile begins anew. Without a path, things go to / by their own names.";

/// What to upload, and where to.
#[derive(Debug, Args)]
#[command(
    override_usage = "upload-broker put [OPTIONS] <FILE|FOLDER|->... [PATH]",
    after_help = format!("{EXAMPLES}\n\n{}", exit::HELP)
)]
pub struct Arguments {
    /// Files, folders, or - for standard input; and behind them the path they go to
    #[arg(required = true, value_name = "FILE|FOLDER|-... PATH")]
    names: Vec<String>,
    #[command(flatten)]
    options: Options,
    /// Go on where an earlier run stopped; this is the default
    #[arg(long, overrides_with = "no_resume")]
    resume: bool,
    /// Begin anew, whatever an earlier run left
    #[arg(long, overrides_with = "resume")]
    no_resume: bool,
    /// How many requests send bytes at once
    #[arg(long, value_name = "N", default_value_t = 4,
        value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
    #[command(flatten)]
    pub(super) common: Common,
}

/// What every upload of one command works with.
struct Put<'a> {
    context: &'a Context,
    s3: S3,
    /// With the store.
    patience: Arc<Patience>,
    options: Options,
    /// Of the options.
    digest: String,
    resume: bool,
    parallel: usize,
}

/// Uploads, and ends as the worst of the files.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let sources = Sources::of(&arguments.names, &context.output)?;
    let put = Put {
        context,
        s3: S3::new()?,
        patience: Arc::default(),
        digest: arguments.options.digest()?,
        options: arguments.options,
        resume: !arguments.no_resume,
        parallel: usize::from(arguments.parallel),
    };
    match sources {
        Sources::Stdin(path) => {
            let transfer = Arc::new(context.output.transfer(&printable(&path), None, 0));
            let done = put.pipe(&path, tokio::io::stdin(), &transfer).await?;
            drop(transfer);
            put.tell("-", &done)?;
            Ok(Exit::Done)
        }
        Sources::Files(items) => {
            put.options.check(items.len())?;
            let total = items.iter().map(|item| item.stamp.size).sum();
            let label = match items.as_slice() {
                [one] => printable(&one.path),
                many => format!("{} files", many.len()),
            };
            let transfer = Arc::new(context.output.transfer(&label, Some(total), 0));
            put.files(items, &transfer).await
        }
    }
}

impl Put<'_> {
    /// One dataset that is there now.
    fn tell(&self, file: &str, done: &Done) -> Result<()> {
        let Done {
            upload,
            tally,
            already,
        } = done;
        let object = upload.object.as_ref();
        let level = upload
            .verification
            .as_ref()
            .map(|proof| proof.level.as_str());
        let checksum = object.and_then(|object| object.checksum.as_ref());
        let value = json!({
            "path": upload.path,
            "file": file,
            "upload_id": upload.id,
            "status": upload.status,
            "size": object.map(|object| object.size),
            "etag": object.map(|object| &object.etag),
            "version_id": object.and_then(|object| object.version_id.as_ref()),
            "checksum": checksum,
            "level": level,
            "resumed_parts": tally.resumed_parts,
            "sent_bytes": tally.sent_bytes,
            "already": already,
        });
        let path = printable(&upload.path);
        let proof = match (level, checksum) {
            (Some("checksum"), Some(checksum)) => format!("{} is right", checksum.algorithm),
            _ => "size is right".to_owned(),
        };
        if level != Some("checksum") && self.options.algorithm().is_some() {
            let said = format!("{path}: only its size could be proven: the store has no checksum");
            self.context.output.note(&said);
        }
        let size = human(object.map_or(0, |object| object.size));
        let file = printable(file);
        (self.context.output).result(&value, || format!("{path}  {file} ({size}, {proof})"))
    }
}
