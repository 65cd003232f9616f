//! Findings: what the janitor came upon, one line each.
//!
//! A line names the upload and the key, never a URL.

use serde::Serialize;
use uuid::Uuid;

use super::status::Status;
use super::upload::Upload;

/// What was come upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// A Pending upload past its deadline.
    Overdue,
    /// A delete that began and never ended.
    UnfinishedDelete,
    /// A Deleted, Cancelled or failed upload whose URL outlived it.
    EndedUpload,
    /// An acknowledged upload, and nothing stands at its key.
    RowWithoutObject,
    /// An acknowledged upload, and other bytes stand at its key.
    OtherEtag,
    /// A proven object that had drifted stands there again.
    Restored,
    /// An object that no upload knows.
    ObjectWithoutRow,
    /// An object of an upload that is not acknowledged; `status` says why it is not.
    UnacknowledgedObject,
    /// A multipart upload at the store that nothing needs any more: `status` says of what, and
    /// without one no upload knows it.
    StaleMultipartUpload,
    /// Counts of upload tokens that have ended.
    EndedTokens,
    /// Idempotency keys past their day.
    OldIdempotencyKeys,
    /// Events past their time.
    OldEvents,
    /// Uploads that ended, past their time.
    OldUploads,
    /// Rows of the audit, past their time.
    OldAuditRows,
}

/// What became of it; in a dry run, what would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Its object was there and right: it is Uploaded.
    Uploaded,
    /// Nothing came, or nothing right: it is Expired.
    Expired,
    /// The delete is finished.
    Deleted,
    /// Its object, or the rows, are removed.
    Removed,
    /// The multipart upload is ended, and its parts are freed.
    Aborted,
    /// Its wrong object stands there, and counts, until its client deletes it.
    Kept,
    /// Nothing of its own stood there: it is done with.
    Clean,
    /// The drift, or its end, is noted with its event.
    Noted,
    /// It was noted before.
    Known,
    /// Told here, and nothing else.
    Reported,
    /// Somebody else was faster.
    Left,
    /// A fault; it is tried again.
    Failed,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was come upon.
    #[serde(rename = "what")]
    pub kind: FindingKind,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether nothing was changed, and the outcome is what would become of it.
    pub dry_run: bool,
    /// The upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<Uuid>,
    /// Tenants it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The path as the tenant sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The key in the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The upload's status, when this was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The store's id of a multipart upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_upload_id: Option<String>,
    /// How long ago that was begun, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
    /// How many rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl FindingKind {
    /// The name, as it stands in the line and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::UnfinishedDelete => "unfinished-delete",
            Self::EndedUpload => "ended-upload",
            Self::RowWithoutObject => "row-without-object",
            Self::OtherEtag => "other-etag",
            Self::Restored => "restored",
            Self::ObjectWithoutRow => "object-without-row",
            Self::UnacknowledgedObject => "unacknowledged-object",
            Self::StaleMultipartUpload => "stale-multipart-upload",
            Self::OldIdempotencyKeys => "old-idempotency-keys",
            Self::EndedTokens => "ended-tokens",
            Self::OldEvents => "old-events",
            Self::OldUploads => "old-uploads",
            Self::OldAuditRows => "old-audit-rows",
        }
    }
}

impl Outcome {
    /// The name, as it stands in the line and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Expired => "expired",
            Self::Deleted => "deleted",
            Self::Removed => "removed",
            Self::Aborted => "aborted",
            Self::Kept => "kept",
            Self::Clean => "clean",
            Self::Noted => "noted",
            Self::Known => "known",
            Self::Reported => "reported",
            Self::Left => "left",
            Self::Failed => "failed",
        }
    }
}

impl Finding {
    /// About an upload.
    pub fn for_upload(kind: FindingKind, outcome: Outcome, dry_run: bool, upload: &Upload) -> Self {
        Self {
            upload_id: Some(upload.id),
            tenant: Some(upload.tenant.clone()),
            path: Some(upload.path.as_str().to_owned()),
            key: Some(upload.key.clone()),
            status: Some(upload.status),
            ..Self::bare(kind, outcome, dry_run)
        }
    }

    /// About an object that no upload knows.
    pub fn object_without_row(key: &str, dry_run: bool) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..Self::bare(FindingKind::ObjectWithoutRow, Outcome::Reported, dry_run)
        }
    }

    /// About a multipart upload at the store that was begun `age_seconds` ago. Of which upload it
    /// was, the caller adds.
    pub fn for_multipart_upload(
        outcome: Outcome,
        dry_run: bool,
        key: &str,
        s3_upload_id: &str,
        age_seconds: u64,
    ) -> Self {
        Self {
            key: Some(key.to_owned()),
            s3_upload_id: Some(s3_upload_id.to_owned()),
            age_seconds: Some(age_seconds),
            ..Self::bare(FindingKind::StaleMultipartUpload, outcome, dry_run)
        }
    }

    /// About that many rows.
    pub fn for_rows(kind: FindingKind, count: u64, dry_run: bool) -> Self {
        Self {
            count: Some(count),
            ..Self::bare(kind, Outcome::Removed, dry_run)
        }
    }

    const fn bare(kind: FindingKind, outcome: Outcome, dry_run: bool) -> Self {
        Self {
            kind,
            outcome,
            dry_run,
            upload_id: None,
            tenant: None,
            path: None,
            key: None,
            status: None,
            s3_upload_id: None,
            age_seconds: None,
            count: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_names_that_metrics_have() {
        for kind in [
            FindingKind::Overdue,
            FindingKind::RowWithoutObject,
            FindingKind::OldIdempotencyKeys,
        ] {
            let line = serde_json::to_value(Finding::for_rows(kind, 1, false)).unwrap();
            assert_eq!(line["what"], kind.as_str());
        }
    }
}
