//! Findings of the janitor, one line of JSON each.
//!
//! A line names the upload and the key, but never a URL, which would be a credential.

use serde::Serialize;
use uuid::Uuid;

use super::status::Status;
use super::upload::Upload;

/// What the janitor found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// A Pending upload that no client acknowledges is due for a check.
    AwaitedUpload,
    /// A Pending upload is past its deadline.
    Overdue,
    /// A delete was started and not finished.
    UnfinishedDelete,
    /// A Deleted, Cancelled or failed upload needs a final check, because its URL was still valid
    /// when it ended.
    EndedUpload,
    /// There is no object at the key of an acknowledged upload.
    RowWithoutObject,
    /// There is an object with other bytes at the key of an acknowledged upload.
    OtherEtag,
    /// A proven object that had drifted is at its key again.
    Restored,
    /// An object belongs to no upload.
    ObjectWithoutRow,
    /// An object belongs to an upload that is not acknowledged; `status` says why it is not.
    UnacknowledgedObject,
    /// A multipart upload at the store is not needed any more. `status` is that of its upload;
    /// without it, the multipart upload belongs to no upload.
    StaleMultipartUpload,
    /// Use counts of expired upload tokens.
    EndedTokens,
    /// Idempotency keys past their retention time.
    OldIdempotencyKeys,
    /// Events past their retention time.
    OldEvents,
    /// Ended uploads past their retention time.
    OldUploads,
    /// Audit rows past their retention time.
    OldAuditRows,
}

/// What the janitor did about a finding; in a dry run, what it would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The object was proven, and the upload is Uploaded.
    Uploaded,
    /// There was a wrong object, and the upload has failed.
    Refused,
    /// There was no object or a wrong one, and the upload is Expired.
    Expired,
    /// The delete was finished.
    Deleted,
    /// The object or the rows were removed.
    Removed,
    /// The multipart upload was aborted, which frees its parts.
    Aborted,
    /// A wrong object stays at the key, and counts against the quota, until the client deletes it.
    Kept,
    /// There was no object of the upload, and the final check is done.
    Clean,
    /// The drift, or its end, was recorded with an event.
    Noted,
    /// The drift had been recorded before.
    Known,
    /// Only this line was written.
    Reported,
    /// Nothing was done: the object is not there yet, or another process changed the row or the object
    /// first.
    Left,
    /// It failed and is retried later.
    Failed,
}

/// One finding, serialized as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What the janitor found.
    #[serde(rename = "what")]
    pub kind: FindingKind,
    /// What the janitor did.
    pub outcome: Outcome,
    /// Whether this was a dry run: nothing was changed, and `outcome` says what a real run would
    /// do.
    pub dry_run: bool,
    /// The upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<Uuid>,
    /// The tenant of the upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The path of the upload, as the tenant sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The key in the bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The status of the upload when the line was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The store's id of a multipart upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_upload_id: Option<String>,
    /// The age of the multipart upload in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
    /// The number of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl FindingKind {
    /// The name in the line and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AwaitedUpload => "awaited-upload",
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
    /// The name in the line and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Refused => "refused",
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
    /// A finding about an upload.
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

    /// A finding about an object that belongs to no upload.
    pub fn object_without_row(key: &str, dry_run: bool) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..Self::bare(FindingKind::ObjectWithoutRow, Outcome::Reported, dry_run)
        }
    }

    /// A finding about a multipart upload that was started `age_seconds` ago. The caller adds the
    /// upload it belongs to.
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

    /// A finding about `count` removed rows.
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
    fn line_and_metrics_use_the_same_names() {
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
