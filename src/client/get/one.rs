//! One dataset, until all of it is there and right.

use std::path::Path;

use serde_json::{Value, json};

use super::fetch::{self, Fetched, Setback};
use super::sink::Level;
use super::target::Target;
use crate::client::Context;
use crate::client::api::Detail;
use crate::client::api::wire::Checksum;
use crate::client::error::{Error, Result};
use crate::client::output::printable;
use crate::client::s3::S3;
use crate::client::size::human;

/// How often a download begins anew because the dataset was replaced under it.
const REPLACED: u32 = 5;

/// Downloads a dataset, of which `detail` is known, and reports it.
///
/// # Errors
/// [`Error::Mismatch`] where other bytes came than were promised, twice; [`Error::Conflict`] where
/// the dataset does not stay the same for long enough, or where a file stands in the way.
pub(in crate::client) async fn download(
    context: &Context,
    s3: &S3,
    mut detail: Detail,
    target: &Target,
) -> Result<()> {
    let (mut replaced, mut spoilt) = (0, 0);
    loop {
        if detail.drifted {
            let path = printable(&detail.path);
            let what = format!("{path} is no longer the object that was proven when it came");
            context.output.warn(&what);
        }
        match fetch::fetch(context, s3, &detail, target).await {
            Ok(fetched) => return report(context, &detail, target, &fetched),
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
            // Once may be the disk, or the wire; twice is for a person to examine.
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
        detail = context.api.dataset(&detail.path).await?;
    }
}

fn report(context: &Context, detail: &Detail, target: &Target, fetched: &Fetched) -> Result<()> {
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
    let checksum = match &fetched.level {
        Level::Checksum(checksum) => Some(checksum),
        Level::Size(_) => None,
    };
    let value = about(detail, file, checksum, Some(fetched.resumed_at));
    let file = printable(&file.display().to_string());
    context
        .output
        .result(&value, || format!("{file}  {path} ({size}, {level})"))
}

/// Reports a file that has the dataset's bytes already.
pub(in crate::client) fn report_same(
    context: &Context,
    detail: &Detail,
    file: &Path,
) -> Result<()> {
    let value = about(detail, file, detail.checksum.as_ref(), None);
    let (path, size) = (printable(&detail.path), human(detail.size));
    let file = printable(&file.display().to_string());
    let words = || format!("{file}  {path} ({size}, was there already)");
    context.output.result(&value, words)
}

/// What is known of a file that has a dataset's bytes. `resumed_at` says where a download began;
/// `None` where none was needed.
fn about(
    detail: &Detail,
    file: &Path,
    checksum: Option<&Checksum>,
    resumed_at: Option<u64>,
) -> Value {
    let level = if checksum.is_some() {
        "checksum"
    } else {
        "size"
    };
    json!({
        "path": detail.path,
        "file": file.display().to_string(),
        "size": detail.size,
        "etag": detail.etag,
        "version_id": detail.version_id,
        "checksum": checksum,
        "level": level,
        "resumed_at": resumed_at.unwrap_or_default(),
        "already": resumed_at.is_none(),
    })
}
