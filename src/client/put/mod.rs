//! `put`: uploads files, folders and standard input, and has the broker prove that they came.
//!
//! ```text
//!   sources ─▶ group ─▶ standing ─▶ draft ─▶ file ─┬─▶ send    the whole by one URL
//!                 │                               └─▶ parts   what the store has not (there)
//!                 ├─▶ existing                     the bytes that are there already
//!                 └─▶ done                         what is reported
//!   pipe    ─▶ send                                of standard input
//!   state                                          what the next run goes on with
//! ```
//!
//! Killed, cut off or refused for a while, an upload stays where it is: the same command goes on
//! with the parts that the store has not. Nothing is a dataset before the broker has proven it.

mod acknowledge;
mod attempts;
mod done;
mod draft;
mod existing;
mod file;
mod group;
mod item;
mod options;
mod parts;
mod pipe;
mod send;
mod slice;
mod sources;
mod stamp;
mod standing;
mod state;
mod there;

use std::sync::Arc;

use clap::Args;
use futures::stream::{self, StreamExt as _};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Context;
use super::arguments::Common;
use super::error::{Error, Result};
use super::exit::{self, Exit};
use super::retry::Patience;
use super::s3::S3;
pub(super) use item::Item;
pub(super) use options::Options;
use sources::{Source, Sources};
pub(super) use stamp::Stamp;
use state::Memory;

/// Files under so many bytes are small.
const SMALL: u64 = 1 << 20;
/// How many small files are sent in place of one larger request.
const SMALL_AT_ONCE: usize = 4;

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
    /// How many requests send bytes at once; of files under 1 MiB four times as many
    #[arg(long, value_name = "N", default_value_t = 4,
        value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
    #[command(flatten)]
    pub(super) common: Common,
}

/// What every upload of one command works with.
pub(in crate::client) struct Put<'a> {
    context: &'a Context,
    s3: S3,
    /// With the store.
    patience: Arc<Patience>,
    memory: Memory,
    options: Options,
    /// Of the options.
    digest: String,
    resume: bool,
    parallel: usize,
    slots: Semaphore,
}

/// Uploads, and ends as the worst of the files.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let sources = Sources::of(&arguments.names)?;
    let mut put = Put::new(context, arguments.options, arguments.parallel)?;
    put.resume = !arguments.no_resume;
    match sources {
        Sources::Stdin(path) => {
            let transfer = Arc::new(context.output.transfer(&path, None, 0));
            let done = put.pipe(&path, tokio::io::stdin(), &transfer).await?;
            drop(transfer);
            put.report("-", &done)?;
            Ok(Exit::Done)
        }
        Sources::Files(sources) => put.sources(sources).await,
    }
}

impl<'a> Put<'a> {
    /// With up to `parallel` requests that send bytes at once.
    pub(in crate::client) fn new(
        context: &'a Context,
        options: Options,
        parallel: u8,
    ) -> Result<Self> {
        let parallel = usize::from(parallel);
        Ok(Self {
            context,
            s3: S3::new()?,
            patience: Arc::default(),
            memory: Memory::open()?,
            digest: options.digest()?,
            options,
            resume: true,
            parallel,
            slots: Semaphore::new(parallel.saturating_mul(SMALL_AT_ONCE)),
        })
    }

    async fn sources(&self, sources: Vec<Source>) -> Result<Exit> {
        let output = &self.context.output;
        let (label, total) = match &sources[..] {
            [Source::File(one)] => (one.path.clone(), Some(one.stamp.size)),
            several => {
                self.options.check(true)?;
                match output.is_quiet() {
                    true => (String::new(), None),
                    false => self.count(several),
                }
            }
        };
        let transfer = Arc::new(output.transfer(&label, total, 0));
        let items = stream::iter(sources).flat_map(|source| Box::pin(source.items()));
        self.files(items, &transfer).await
    }

    /// How many files there are, in words, and how many bytes those have.
    fn count(&self, sources: &[Source]) -> (String, Option<u64>) {
        let (mut files, mut bytes) = (0_u64, 0_u64);
        for source in sources {
            let (more, of) = source.count();
            if more == 0 {
                let name = source.name().display();
                self.context.output.note(&format!("{name} has no files"));
            }
            files = files.saturating_add(more);
            bytes = bytes.saturating_add(of);
        }
        (format!("{files} files"), Some(bytes))
    }

    /// Waits until a request with so many bytes may be sent. Of small files several times as many
    /// are under way, as their requests are mostly waiting.
    async fn slot(&self, size: u64) -> Result<SemaphorePermit<'_>> {
        let share = if size < SMALL { 1 } else { SMALL_AT_ONCE };
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let slot = self.slots.acquire_many(share).await;
        slot.map_err(|_| Error::Failed("nothing may be sent any more".to_owned()))
    }
}
