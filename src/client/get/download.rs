//! Downloads one dataset, and starts again if it changes during the download.

use std::path::Path;

use serde_json::{Value, json};

use super::fetch::{self, DownloadError, Fetched};
use super::sink::Verification;
use super::target::Target;
use crate::client::api::Detail;
use crate::client::api::wire::Checksum;
use crate::client::context::Context;
use crate::client::error::{Error, Result};
use crate::client::output::printable;
use crate::client::s3::S3;
use crate::client::size::human;

/// How often a download starts again because the dataset was replaced.
const MAX_REPLACEMENTS: u32 = 5;

/// Downloads the dataset that `detail` describes, and prints the result.
///
/// # Errors
/// [`Error::Mismatch`] if the received bytes have the wrong checksum twice; [`Error::Conflict`] if
/// the dataset keeps being replaced, or if a file already exists at the target.
pub(in crate::client) async fn download(
    context: &Context,
    s3: &S3,
    mut detail: Detail,
    target: &Target,
) -> Result<()> {
    let (mut replaced, mut corrupted) = (0, 0);
    loop {
        if detail.drifted {
            let path = printable(&detail.path);
            let what =
                format!("{path} is no longer the object that was proven when it was uploaded");
            context.output.warn(&what);
        }
        match fetch::fetch(context, s3, &detail, target).await {
            Ok(fetched) => return report(context, &detail, target, &fetched),
            Err(DownloadError::Fatal(error)) => return Err(error),
            Err(DownloadError::Replaced) if replaced < MAX_REPLACEMENTS => {
                replaced += 1;
                context
                    .output
                    .note("the dataset was replaced during the download: starting again");
            }
            Err(DownloadError::Replaced) => {
                let what = format!(
                    "the dataset was replaced {} times during the download",
                    replaced + 1
                );
                return Err(Error::Conflict(what));
            }
            // One mismatch may come from the disk or the network; a second one needs a human.
            Err(DownloadError::Corrupted(what)) if corrupted == 0 => {
                corrupted += 1;
                context
                    .output
                    .warn(&format!("{what}: discarding it and starting again"));
            }
            Err(DownloadError::Corrupted(what)) => {
                return Err(Error::Mismatch(format!("{what}, twice: nothing was saved")));
            }
        }
        detail = context.api.dataset(&detail.path).await?;
    }
}

fn report(context: &Context, detail: &Detail, target: &Target, fetched: &Fetched) -> Result<()> {
    let (path, size) = (printable(&detail.path), human(detail.size));
    let level = match &fetched.level {
        Verification::Checksum(checksum) => format!("{} matches", checksum.algorithm),
        Verification::Size(reason) => {
            let what = format!("{path}: only the size was checked: {reason}");
            context.output.note(&what);
            "size matches".to_owned()
        }
    };
    let Some(file) = target.file() else {
        context.output.note(&format!("{path} ({size}, {level})"));
        return Ok(());
    };
    let checksum = match &fetched.level {
        Verification::Checksum(checksum) => Some(checksum),
        Verification::Size(_) => None,
    };
    let value = result_json(detail, file, checksum, Some(fetched.resumed_at));
    let file = printable(&file.display().to_string());
    context
        .output
        .result(&value, || format!("{file}  {path} ({size}, {level})"))
}

/// Prints the result for a file that already has the bytes of the dataset.
pub(in crate::client) fn report_same(
    context: &Context,
    detail: &Detail,
    file: &Path,
) -> Result<()> {
    let value = result_json(detail, file, detail.checksum.as_ref(), None);
    let (path, size) = (printable(&detail.path), human(detail.size));
    let file = printable(&file.display().to_string());
    let text = || format!("{file}  {path} ({size}, already downloaded)");
    context.output.result(&value, text)
}

/// The JSON result for a file that has the bytes of a dataset. `resumed_at` is the offset at which
/// the download started, or `None` if nothing was downloaded.
fn result_json(
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
