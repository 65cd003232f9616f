//! Prints the result of a file that was uploaded.

use serde_json::json;

use super::parts::Counts;
use super::uploader::Uploader;
use crate::client::api::Detail;
use crate::client::api::wire::{Checksum, Upload};
use crate::client::error::Result;
use crate::client::output::printable;
use crate::client::size::human;

/// The result of a file whose dataset exists now.
#[derive(Debug)]
pub(super) struct Finished {
    path: String,
    upload_id: Option<String>,
    status: Option<String>,
    size: Option<u64>,
    etag: Option<String>,
    version_id: Option<String>,
    checksum: Option<Checksum>,
    level: Option<String>,
    counts: Counts,
    /// Why no bytes had to be sent.
    nothing_sent: Option<NothingSent>,
}

/// Why no bytes had to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NothingSent {
    /// An earlier run had sent all bytes.
    SentBefore,
    /// A dataset with the same bytes already existed at the path.
    SameDataset,
}

impl Finished {
    /// The result of a proven upload.
    pub(super) fn proven(
        upload: Upload,
        counts: Counts,
        nothing_sent: Option<NothingSent>,
    ) -> Self {
        let object = upload.object;
        Self {
            path: upload.path,
            upload_id: Some(upload.id.to_string()),
            status: Some(upload.status),
            size: object.as_ref().map(|object| object.size),
            etag: object.as_ref().map(|object| object.etag.clone()),
            version_id: object.as_ref().and_then(|object| object.version_id.clone()),
            checksum: object.and_then(|object| object.checksum),
            level: upload.verification.map(|proof| proof.level),
            counts,
            nothing_sent,
        }
    }

    /// The result for a dataset that already has the file's size and checksum.
    pub(super) fn same(dataset: Detail) -> Self {
        let (upload_id, status) = match dataset.upload {
            Some(upload) => (Some(upload.id.to_string()), Some(upload.status)),
            None => (None, None),
        };
        Self {
            path: dataset.path,
            upload_id,
            status,
            size: Some(dataset.size),
            etag: Some(dataset.etag),
            version_id: dataset.version_id,
            checksum: dataset.checksum,
            level: Some("checksum".to_owned()),
            counts: Counts::default(),
            nothing_sent: Some(NothingSent::SameDataset),
        }
    }
}

impl Uploader<'_> {
    /// Prints the result of one file.
    pub(super) fn report(&self, file: &str, done: &Finished) -> Result<()> {
        let level = done.level.as_deref();
        let value = json!({
            "path": done.path,
            "file": file,
            "upload_id": done.upload_id,
            "status": done.status,
            "size": done.size,
            "etag": done.etag,
            "version_id": done.version_id,
            "checksum": done.checksum,
            "level": level,
            "resumed_parts": done.counts.resumed_parts,
            "sent_bytes": done.counts.sent_bytes,
            "already": done.nothing_sent.is_some(),
        });
        let path = printable(&done.path);
        let proof = match (level, &done.checksum) {
            (Some("checksum"), Some(checksum)) => format!("{} matches", checksum.algorithm),
            _ => "size matches".to_owned(),
        };
        if level != Some("checksum") && self.options.algorithm().is_some() {
            let message =
                format!("{path}: only the size was proven: the store returned no checksum");
            self.context.output.note(&message);
        }
        let size = human(done.size.unwrap_or_default());
        let suffix = match done.nothing_sent {
            Some(NothingSent::SameDataset) => ", already uploaded",
            _ => "",
        };
        let file = printable(file);
        let text = || format!("{path}  {file} ({size}, {proof}{suffix})");
        self.context.output.result(&value, text)
    }
}
