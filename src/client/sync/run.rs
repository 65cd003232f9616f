//! What all steps of one synchronization share.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::rules::Rules;
use crate::client::context::Context;
use crate::client::error::Result;
use crate::client::folder;
use crate::client::output::printable;

/// What all steps of one run share.
pub(super) struct SyncRun<'a> {
    pub(super) context: &'a Context,
    pub(super) rules: Rules,
    pub(super) dry_run: bool,
    pub(super) parallel: u8,
    pub(super) counts: Counts,
}

/// Counts of the paths, by result.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) same: AtomicU64,
    /// New and replaced ones.
    pub(super) transferred: AtomicU64,
    pub(super) deleted: AtomicU64,
    /// Files on the source side.
    pub(super) source_files: AtomicU64,
    /// Objects that have no path.
    pub(super) without_path: AtomicU64,
}

impl SyncRun<'_> {
    /// Reports an object that has no path. It does not count as a failure of the other paths.
    pub(super) fn skip_without_path(&self, key: &str) -> Result<()> {
        self.counts.add(|counts| &counts.without_path);
        let output = &self.context.output;
        output
            .report_failure(key, folder::without_path())
            .map(|_| ())
    }

    /// In a dry run, prints what would be done and returns `true`.
    pub(super) fn report_dry_run(&self, action: &str, path: &str, file: &str) -> Result<bool> {
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
        let text = || match action {
            "delete" => format!("would delete {}{}", printable(path), printable(file)),
            _ => format!("would {action} {} to {}", printable(from), printable(to)),
        };
        self.context.output.result(&value, text)?;
        Ok(true)
    }
}

impl Counts {
    /// Adds one to a counter.
    pub(super) fn add(&self, which: impl Fn(&Self) -> &AtomicU64) {
        which(self).fetch_add(1, Ordering::Relaxed);
    }

    /// Prints the counts.
    pub(super) fn report(&self, context: &Context, dry_run: bool) {
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
