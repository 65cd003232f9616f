//! Who asks, and what they may.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use super::bounds::Bounds;
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

    /// Those that an upload token may have.
    pub const FOR_TOKENS: [Self; 5] = [
        Self::UploadsWrite,
        Self::UploadsRead,
        Self::DatasetsRead,
        Self::DatasetsDelete,
        Self::ProcessingWrite,
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
    /// Where that data lives in the bucket, as far as the caller may reach.
    pub jail: Jail,
    /// What its uploads are held to.
    pub policy: Arc<TenantPolicy>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The API key that it came with, or that its upload token was made with; nothing with a JWT,
    /// or where authentication is off.
    pub key_id: Option<Uuid>,
    /// What it came with.
    pub credential: Credential,
    /// What else bounds it.
    pub bounds: Bounds,
}

/// What a caller came with: enough to tell it from others, and never the credential itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Nothing: authentication is off.
    AuthenticationOff,
    /// The API key with this id.
    Key(Uuid),
    /// The upload token with this fingerprint.
    UploadToken(String),
    /// A JWT: its subject, or its fingerprint where it has none.
    Jwt(String),
}

impl Principal {
    /// Whether it may do what `scope` names.
    pub fn has_scope(&self, scope: Scope) -> bool {
        self.scopes
            .iter()
            .any(|held| *held == scope || *held == Scope::Admin)
    }

    /// Who it is, in a word for the audit: never the credential itself.
    pub fn identity(&self) -> Cow<'static, str> {
        match &self.credential {
            Credential::AuthenticationOff => "anyone".into(),
            Credential::Key(id) => format!("key:{id}").into(),
            Credential::UploadToken(fingerprint) => format!("token:{fingerprint}").into(),
            Credential::Jwt(subject) => format!("jwt:{subject}").into(),
        }
    }

    /// Who it counts as where calls are counted. An upload token counts as the API key that stands
    /// behind it, however it was made: making tokens does not make a key's limit larger. Tokens
    /// that were made with JWTs count together, those of one tenant as one caller.
    pub fn rate_limit_key(&self) -> String {
        match (&self.credential, self.key_id) {
            (Credential::Jwt(subject), _) => format!("{} jwt:{subject}", self.tenant),
            (_, Some(id)) => id.to_string(),
            (Credential::UploadToken(_), None) => format!("{} tokens", self.tenant),
            (_, None) => self.tenant.clone(),
        }
    }
}
