//! An upload in words.

use chrono::{DateTime, SecondsFormat, Utc};

use super::{Progress, Seen};
use crate::client::output::printable;
use crate::client::size::human;

/// How many ranges of missing parts are spelt out.
const RANGES: usize = 8;

/// A few lines: the state first, then what is known.
pub(super) fn words(seen: &Seen) -> String {
    let upload = &seen.upload;
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
            seen.progress
                .as_ref()
                .map(|progress| parts(progress, upload.size)),
        );
        lines.push(format!("  open until {}", time(upload.expires_at)));
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
            "  since then the object is {}, noticed {at}",
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
                "  arrived: {count} of {all} parts, {bytes} of {}",
                human(size)
            )
        }
        _ => format!("  arrived: {count} parts, {bytes}"),
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
