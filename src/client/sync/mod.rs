//! `sync`: makes one side identical to the other, by size and checksum.
//!
//! ```text
//!   direction ─▶ merge ─┬─▶ up    ─▶ put      what differs is transferred;
//!       rules ─┘        └─▶ down  ─▶ get      then, with --delete,
//!                         both    ─▶ prune    what only the target has is deleted
//! ```

mod direction;
mod down;
mod merge;
mod prune;
mod rules;
mod run;
mod up;

use std::sync::atomic::Ordering;

use clap::Args;

use super::arguments::Common;
use super::context::Context;
use super::error::Result;
use super::exit::{self, Exit};
use direction::Direction;
use rules::Rules;
use run::{Counts, SyncRun};

const EXAMPLES: &str = "\
Examples:
  upload-broker sync results /data/2026              upload: local folder, then broker path
  upload-broker sync /data/2026 results              download: broker path, then local folder
  upload-broker sync broker:data results             broker: marks the broker path where it is ambiguous
  upload-broker sync -n --delete --exclude '*.tmp' results /data/2026

A file and a dataset are equal if their size and checksum are; what cannot be compared is
transferred. Nothing is deleted without --delete, and nothing if a transfer failed.";

/// The arguments of `sync`.
#[derive(Debug, Args)]
#[command(
    override_usage = "upload-broker sync [OPTIONS] <FOLDER> <PREFIX>\n       \
                      upload-broker sync [OPTIONS] <PREFIX> <FOLDER>",
    after_help = format!("{EXAMPLES}\n\n{}", exit::HELP)
)]
pub struct Arguments {
    /// Source: a local folder or a broker path
    from: String,
    /// Target: is made identical to the source
    to: String,
    /// Delete from the target what the source does not have
    #[arg(long)]
    delete: bool,
    /// Only print what would be done
    #[arg(long, short = 'n')]
    dry_run: bool,
    #[command(flatten)]
    rules: Rules,
    /// How many transfers run at a time; four times as many uploads of files under 1 MiB
    #[arg(long, value_name = "N", default_value_t = 4,
        value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Runs `sync`. Returns the most severe exit code.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let direction = Direction::of(&arguments.from, &arguments.to)?;
    let sync = SyncRun {
        context,
        rules: arguments.rules,
        dry_run: arguments.dry_run,
        parallel: arguments.parallel,
        counts: Counts::default(),
    };
    let mut worst = match &direction {
        Direction::Up(root, folder) => up::up(&sync, root, folder).await?,
        Direction::Down(folder, root) => down::down(&sync, folder, root).await?,
    };
    if arguments.delete {
        worst = worst.max(prune(&sync, &direction, worst).await?);
    }
    if sync.counts.without_path.load(Ordering::Relaxed) > 0 {
        worst = worst.max(Exit::Failed);
    }
    sync.counts.report(context, sync.dry_run);
    Ok(worst)
}

/// Deletes what only the target has, unless that could delete too much.
async fn prune(sync: &SyncRun<'_>, direction: &Direction, worst: Exit) -> Result<Exit> {
    let refusal = if worst != Exit::Done {
        "nothing was deleted, because not everything could be read and transferred"
    } else if sync.counts.source_files.load(Ordering::Relaxed) == 0 {
        "nothing was deleted, because the source is empty: use `rm -r` to delete a folder"
    } else {
        return match direction {
            Direction::Up(root, folder) => prune::datasets(sync, root, folder).await,
            Direction::Down(folder, root) => prune::files(sync, folder, root).await,
        };
    };
    sync.context.output.warn(refusal);
    Ok(Exit::Failed)
}
