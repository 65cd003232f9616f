//! What the audit tells of.

use std::fmt;
use std::str::FromStr;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// An upload session was made, and its first URLs were handed out.
    UploadCreated,
    /// Fresh URLs of a session were handed out.
    UrlsSigned,
    /// URLs of parts were handed out.
    PartsSigned,
    /// An upload was acknowledged, for the first time or again.
    UploadAcknowledged,
    /// A session was extended.
    UploadExtended,
    /// A session was cancelled.
    UploadCancelled,
    /// An upload was deleted, and its object with it.
    UploadDeleted,
    /// A URL to download a dataset was handed out.
    DatasetDownloaded,
    /// A dataset was copied to another path, or moved there.
    DatasetCopied,
    /// A key was made.
    KeyCreated,
    /// A key was taken back.
    KeyRevoked,
    /// An upload token was made.
    TokenCreated,
    /// A tenant was made.
    TenantCreated,
    /// A tenant's limits were set.
    TenantChanged,
    /// A tenant's credentials open nothing any more.
    TenantDisabled,
    /// They do again.
    TenantEnabled,
    /// A request was refused: no credential, no right, or a reach for what is another's.
    RequestRefused,
    /// A request that was to change something, and whose outcome its caller was not told: it hung
    /// up, took too long, or met a fault. What had begun may have been done.
    RequestUnsettled,
    /// Rows that there was no room for.
    AuditLost,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 19] = [
        Self::UploadCreated,
        Self::UrlsSigned,
        Self::PartsSigned,
        Self::UploadAcknowledged,
        Self::UploadExtended,
        Self::UploadCancelled,
        Self::UploadDeleted,
        Self::DatasetDownloaded,
        Self::DatasetCopied,
        Self::KeyCreated,
        Self::KeyRevoked,
        Self::TokenCreated,
        Self::TenantCreated,
        Self::TenantChanged,
        Self::TenantDisabled,
        Self::TenantEnabled,
        Self::RequestRefused,
        Self::RequestUnsettled,
        Self::AuditLost,
    ];

    /// The name, as it stands in JSON and in Postgres.
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
            Self::DatasetCopied => "dataset.copied",
            Self::KeyCreated => "key.created",
            Self::KeyRevoked => "key.revoked",
            Self::TokenCreated => "token.created",
            Self::TenantCreated => "tenant.created",
            Self::TenantChanged => "tenant.changed",
            Self::TenantDisabled => "tenant.disabled",
            Self::TenantEnabled => "tenant.enabled",
            Self::RequestRefused => "request.refused",
            Self::RequestUnsettled => "request.unsettled",
            Self::AuditLost => "audit.lost",
        }
    }

    /// Whether repetitions are one row with their count: whoever is refused may ask at any rate.
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
    fn an_action_is_found_by_its_name() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(action));
        }
        let unknown = "upload.eaten".parse::<Action>().expect_err("no action");
        assert!(unknown.contains("upload.created"), "{unknown}");
    }
}
