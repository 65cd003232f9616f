//! The kinds of actions that the audit records.

use std::fmt;
use std::str::FromStr;

/// The kind of an audited action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// An upload session was created, and its first URLs were issued.
    UploadCreated,
    /// New URLs of a session were issued.
    UrlsSigned,
    /// URLs of parts were issued.
    PartsSigned,
    /// An upload was acknowledged, for the first time or repeatedly.
    UploadAcknowledged,
    /// A session was extended.
    UploadExtended,
    /// A session was cancelled.
    UploadCancelled,
    /// An upload and its object were deleted.
    UploadDeleted,
    /// A URL to download a dataset was issued.
    DatasetDownloaded,
    /// The text of datasets was searched. The path of the record is the start of their paths.
    DatasetsSearched,
    /// A dataset was copied or moved to another path.
    DatasetCopied,
    /// A worker claimed a job.
    JobClaimed,
    /// A worker reported on a job.
    JobReported,
    /// Failed jobs were queued again.
    JobsRetried,
    /// An API key was created.
    KeyCreated,
    /// An API key was revoked.
    KeyRevoked,
    /// An upload token was issued.
    TokenCreated,
    /// A tenant was created.
    TenantCreated,
    /// The limits of a tenant were changed.
    TenantChanged,
    /// A tenant was disabled: its credentials are refused.
    TenantDisabled,
    /// A tenant was enabled again.
    TenantEnabled,
    /// A webhook was added.
    WebhookCreated,
    /// A webhook was removed.
    WebhookRemoved,
    /// A webhook was enabled again.
    WebhookEnabled,
    /// Past events were queued again for a webhook.
    WebhookReplayed,
    /// The secret of a webhook was replaced.
    WebhookSecretRotated,
    /// A request was refused: it had no valid credential or no right, or tried to reach data of
    /// another tenant.
    RequestRefused,
    /// The outcome of a changing request was not reported to its caller: the caller closed the
    /// connection, or the request timed out or failed. The change may have been made.
    RequestUnsettled,
    /// Audit rows were lost because the queue was full.
    AuditLost,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 28] = [
        Self::UploadCreated,
        Self::UrlsSigned,
        Self::PartsSigned,
        Self::UploadAcknowledged,
        Self::UploadExtended,
        Self::UploadCancelled,
        Self::UploadDeleted,
        Self::DatasetDownloaded,
        Self::DatasetsSearched,
        Self::DatasetCopied,
        Self::JobClaimed,
        Self::JobReported,
        Self::JobsRetried,
        Self::KeyCreated,
        Self::KeyRevoked,
        Self::TokenCreated,
        Self::TenantCreated,
        Self::TenantChanged,
        Self::TenantDisabled,
        Self::TenantEnabled,
        Self::WebhookCreated,
        Self::WebhookRemoved,
        Self::WebhookEnabled,
        Self::WebhookReplayed,
        Self::WebhookSecretRotated,
        Self::RequestRefused,
        Self::RequestUnsettled,
        Self::AuditLost,
    ];

    /// The name in JSON and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UploadCreated => "upload.created",
            Self::UrlsSigned => "urls.signed",
            Self::PartsSigned => "parts.signed",
            Self::UploadAcknowledged => "upload.acknowledged",
            Self::UploadExtended => "upload.extended",
            Self::UploadCancelled => "upload.cancelled",
            Self::UploadDeleted => "upload.deleted",
            Self::DatasetDownloaded => "dataset.downloaded",
            Self::DatasetsSearched => "datasets.searched",
            Self::DatasetCopied => "dataset.copied",
            Self::JobClaimed => "job.claimed",
            Self::JobReported => "job.reported",
            Self::JobsRetried => "jobs.retried",
            Self::KeyCreated => "key.created",
            Self::KeyRevoked => "key.revoked",
            Self::TokenCreated => "token.created",
            Self::TenantCreated => "tenant.created",
            Self::TenantChanged => "tenant.changed",
            Self::TenantDisabled => "tenant.disabled",
            Self::TenantEnabled => "tenant.enabled",
            Self::WebhookCreated => "webhook.created",
            Self::WebhookRemoved => "webhook.removed",
            Self::WebhookEnabled => "webhook.enabled",
            Self::WebhookReplayed => "webhook.replayed",
            Self::WebhookSecretRotated => "webhook.secret-rotated",
            Self::RequestRefused => "request.refused",
            Self::RequestUnsettled => "request.unsettled",
            Self::AuditLost => "audit.lost",
        }
    }

    /// Whether repetitions are folded into one row with a count. Refused requests can arrive at any
    /// rate.
    pub const fn is_folded(self) -> bool {
        matches!(self, Self::RequestRefused | Self::RequestUnsettled)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|action| action.as_str() == name);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            format!("must be one of {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_names_round_trip() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(action));
        }
        let unknown = "upload.eaten".parse::<Action>().expect_err("no action");
        assert!(unknown.contains("upload.created"), "{unknown}");
    }
}
