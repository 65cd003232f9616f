//! Who asks, and what they may.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use super::jail::Jail;
use super::tenant::TenantPolicy;

/// A right. `admin` contains the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Create, refresh, acknowledge and cancel uploads.
    UploadsWrite,
    /// Read uploads and their events.
    UploadsRead,
    /// List, look at and download datasets.
    DatasetsRead,
    /// Delete datasets and their uploads.
    DatasetsDelete,
    /// Report back on processing.
    ProcessingWrite,
    /// Everything that the tenant may.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 6] = [
        Self::UploadsWrite,
        Self::UploadsRead,
        Self::DatasetsRead,
        Self::DatasetsDelete,
        Self::ProcessingWrite,
        Self::Admin,
    ];

    /// The name, as it stands in keys and tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UploadsWrite => "uploads:write",
            Self::UploadsRead => "uploads:read",
            Self::DatasetsRead => "datasets:read",
            Self::DatasetsDelete => "datasets:delete",
            Self::ProcessingWrite => "processing:write",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A scope name that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == name)
            .ok_or(UnknownScope)
    }
}

/// An authenticated caller.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The tenant whose data it may touch.
    pub tenant: String,
    /// Where that data lives in the bucket.
    pub jail: Jail,
    /// What its uploads are held to.
    pub policy: Arc<TenantPolicy>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The API key that it came with; nothing where authentication is off.
    pub key_id: Option<Uuid>,
}

impl Principal {
    /// Whether it may do what `scope` names.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes
            .iter()
            .any(|held| *held == scope || *held == Scope::Admin)
    }

    /// Who it is, in a word for the audit: never the credential itself.
    pub fn identity(&self) -> Cow<'static, str> {
        match self.key_id {
            Some(id) => format!("key:{id}").into(),
            None => "anyone".into(),
        }
    }
}
