//! Formats the status of an upload as text.

use chrono::{DateTime, SecondsFormat, Utc};

use super::snapshot::{Progress, Snapshot};
use crate::client::output::printable;
use crate::client::size::human;

/// How many ranges of missing parts are printed.
const RANGES: usize = 8;

/// Several lines: first the status, then the details.
pub(super) fn format(snapshot: &Snapshot) -> String {
    let upload = &snapshot.upload;
    let mut lines = vec![format!(
        "{}  {}  {}",
        upload.status,
        upload.id,
        printable(&upload.path)
    )];
    if upload.status == "Pending" {
        lines.push(match upload.size {
            Some(size) => format!("  declared: {}", human(size)),
            None => "  declared: no size".to_owned(),
        });
        lines.extend(
            snapshot
                .progress
                .as_ref()
                .map(|progress| parts(progress, upload.size)),
        );
        lines.push(format!("  expires {}", time(upload.expires_at)));
    }
    if let Some(object) = &upload.object {
        let size = human(object.size);
        lines.push(format!("  object: {size}, ETag {}", object.etag));
        if let Some(checksum) = &object.checksum {
            lines.push(format!("  {} {}", checksum.algorithm, checksum.value));
        }
    }
    if let Some(proof) = &upload.verification {
        let at = time(proof.at);
        lines.push(format!("  proven: {}, by {}, {at}", proof.level, proof.by));
    }
    if let Some(drift) = &upload.drift {
        let at = time(drift.at);
        lines.push(format!(
            "  the object has been {} since then, noticed {at}",
            drift.kind
        ));
    }
    if let Some(error) = &upload.error {
        lines.push(format!("  {}: {}", error.code, printable(&error.detail)));
    }
    lines.join("\n")
}

fn parts(progress: &Progress, size: Option<u64>) -> String {
    let bytes = human(progress.uploaded_bytes);
    let count = progress.uploaded_parts;
    let mut line = match (progress.part_count, size) {
        (Some(all), Some(size)) => {
            format!(
                "  uploaded: {count} of {all} parts, {bytes} of {}",
                human(size)
            )
        }
        _ => format!("  uploaded: {count} parts, {bytes}"),
    };
    let named = progress.missing.iter().take(RANGES).map(|(from, to)| {
        if from == to {
            from.to_string()
        } else {
            format!("{from}-{to}")
        }
    });
    let named: Vec<_> = named.collect();
    if !named.is_empty() {
        line.push_str(&format!("; missing {}", named.join(", ")));
        if progress.missing.len() > RANGES {
            line.push_str(" and more");
        }
    }
    line
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
