//! `sync`: makes one side like the other, by size and checksum.
//!
//! ```text
//!   sides ─▶ steps ─┬─▶ up    ─▶ put          what differs is transferred,
//!    rules ─┘       └─▶ down  ─▶ get          then, with --delete,
//!                     both    ─▶ prune        what the other side has not is deleted
//! ```

mod down;
mod prune;
mod rules;
mod sides;
mod steps;
mod up;

use std::sync::atomic::{AtomicU64, Ordering};

use clap::Args;
use serde_json::json;

use super::Context;
use super::arguments::Common;
use super::error::{Error, Result};
use super::exit::{self, Exit};
use super::output::printable;
use super::{folder, walk};
use rules::Rules;
use sides::Direction;

const EXAMPLES: &str = "\
Examples:
  upload-broker sync results /data/2026              up: a folder here, then one of the broker
  upload-broker sync /data/2026 results              and down
  upload-broker sync broker:data results             the broker's side, marked where it may be unclear
  upload-broker sync -n --delete --exclude '*.tmp' results /data/2026

A file and a dataset are the same where their size and checksum are; what cannot be compared is
transferred. Nothing is deleted without --delete, and nothing where a transfer failed.";

/// What to make alike.
#[derive(Debug, Args)]
#[command(
    override_usage = "upload-broker sync [OPTIONS] <FOLDER> <PREFIX>\n       \
                      upload-broker sync [OPTIONS] <PREFIX> <FOLDER>",
    after_help = format!("{EXAMPLES}\n\n{}", exit::HELP)
)]
pub struct Arguments {
    /// Where the bytes come from
    from: String,
    /// What is made like it
    to: String,
    /// Delete on that side what the other one has not
    #[arg(long)]
    delete: bool,
    /// Only print what would be done
    #[arg(long, short = 'n')]
    dry_run: bool,
    #[command(flatten)]
    rules: Rules,
    /// How many requests carry bytes at once; of files under 1 MiB, four times as many go up
    #[arg(long, value_name = "N", default_value_t = 4,
        value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
    #[command(flatten)]
    pub(super) common: Common,
}

/// What one run works with.
struct Sync<'a> {
    context: &'a Context,
    rules: Rules,
    dry_run: bool,
    parallel: u8,
    tally: Tally,
}

/// How many paths were found to be what.
#[derive(Debug, Default)]
struct Tally {
    same: AtomicU64,
    /// New ones and replaced ones.
    transferred: AtomicU64,
    deleted: AtomicU64,
    /// Files on the side that is the model.
    modelled: AtomicU64,
    /// Objects that have no path.
    without_path: AtomicU64,
}

/// Makes the second side like the first one. Ends as the worst of the paths.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let direction = Direction::of(&arguments.from, &arguments.to)?;
    let sync = Sync {
        context,
        rules: arguments.rules,
        dry_run: arguments.dry_run,
        parallel: arguments.parallel,
        tally: Tally::default(),
    };
    let mut worst = match &direction {
        Direction::Up(root, folder) => up::up(&sync, root, folder).await?,
        Direction::Down(folder, root) => down::down(&sync, folder, root).await?,
    };
    if arguments.delete {
        worst = worst.max(sync.prune(&direction, worst).await?);
    }
    if sync.tally.without_path.load(Ordering::Relaxed) > 0 {
        worst = worst.max(Exit::Failed);
    }
    sync.tally.report(context, sync.dry_run);
    Ok(worst)
}

impl Sync<'_> {
    async fn prune(&self, direction: &Direction, worst: Exit) -> Result<Exit> {
        let refusal = if worst != Exit::Done {
            "nothing was deleted, as not everything was read and transferred"
        } else if self.tally.modelled.load(Ordering::Relaxed) == 0 {
            "nothing was deleted, as the side to go by is empty: `rm -r` deletes a folder"
        } else {
            return match direction {
                Direction::Up(root, folder) => prune::datasets(self, root, folder).await,
                Direction::Down(folder, root) => prune::files(self, folder, root).await,
            };
        };
        self.context.output.warn(refusal);
        Ok(Exit::Failed)
    }

    /// Notes an object that has no path. It is no failure of what can be synchronized.
    fn leave_out(&self, key: &str) -> Result<()> {
        self.tally.add(|tally| &tally.without_path);
        let output = &self.context.output;
        output.failed(key, folder::without_path()).map(|_| ())
    }

    /// Prints what would be done, and returns whether that is all.
    fn is_rehearsed(&self, action: &str, path: &str, file: &str) -> Result<bool> {
        if !self.dry_run {
            return Ok(false);
        }
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (shown_path, shown_file) = (given(path), given(file));
        let value = json!({
            "action": action,
            "path": shown_path,
            "file": shown_file,
            "dry_run": true,
        });
        let (from, to) = match action {
            "upload" => (file, path),
            _ => (path, file),
        };
        let words = || match action {
            "delete" => format!("would delete {}{}", printable(path), printable(file)),
            _ => format!("would {action} {} to {}", printable(from), printable(to)),
        };
        self.context.output.result(&value, words)?;
        Ok(true)
    }
}

impl Tally {
    fn add(&self, which: impl Fn(&Self) -> &AtomicU64) {
        which(self).fetch_add(1, Ordering::Relaxed);
    }

    fn report(&self, context: &Context, dry_run: bool) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (same, moved, deleted) = (
            count(&self.same),
            count(&self.transferred),
            count(&self.deleted),
        );
        let would = if dry_run { " (dry run)" } else { "" };
        context.output.note(&format!(
            "{same} the same, {moved} to transfer, {deleted} to delete{would}"
        ));
    }
}

/// The error for a local entry that stops a deletion.
fn unreadable(left: walk::LeftOut) -> Error {
    let (file, reason) = (left.file.display(), left.reason);
    Error::Failed(format!("{file} {reason}: nothing more is deleted"))
}
