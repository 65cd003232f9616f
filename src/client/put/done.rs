//! What is shown of a file that is a dataset now.

use serde_json::json;

use super::Put;
use super::parts::Tally;
use crate::client::api::Detail;
use crate::client::api::wire::{Checksum, Upload};
use crate::client::error::Result;
use crate::client::output::printable;
use crate::client::size::human;

/// A file that is a dataset now.
#[derive(Debug)]
pub(super) struct Done {
    path: String,
    upload_id: Option<String>,
    status: Option<String>,
    size: Option<u64>,
    etag: Option<String>,
    version_id: Option<String>,
    checksum: Option<Checksum>,
    level: Option<String>,
    tally: Tally,
    /// Why nothing was sent.
    already: Option<Already>,
}

/// Why nothing had to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Already {
    /// An earlier run had sent all of it.
    Sent,
    /// A dataset with the same bytes stood at the path.
    Same,
}

impl Done {
    /// An upload that was proven.
    pub(super) fn proven(upload: Upload, tally: Tally, already: Option<Already>) -> Self {
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
            tally,
            already,
        }
    }

    /// A dataset that has the bytes of the file, as their checksums say.
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
            tally: Tally::default(),
            already: Some(Already::Same),
        }
    }
}

impl Put<'_> {
    /// Reports one dataset that is there now.
    pub(super) fn report(&self, file: &str, done: &Done) -> Result<()> {
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
            "resumed_parts": done.tally.resumed_parts,
            "sent_bytes": done.tally.sent_bytes,
            "already": done.already.is_some(),
        });
        let path = printable(&done.path);
        let proof = match (level, &done.checksum) {
            (Some("checksum"), Some(checksum)) => format!("{} is right", checksum.algorithm),
            _ => "size is right".to_owned(),
        };
        if level != Some("checksum") && self.options.algorithm().is_some() {
            let said = format!("{path}: only its size could be proven: the store has no checksum");
            self.context.output.note(&said);
        }
        let size = human(done.size.unwrap_or_default());
        let there = match done.already {
            Some(Already::Same) => ", was there already",
            _ => "",
        };
        let file = printable(file);
        let words = || format!("{path}  {file} ({size}, {proof}{there})");
        self.context.output.result(&value, words)
    }
}
