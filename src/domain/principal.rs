//! The authenticated caller of a request and its rights.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use super::bounds::Bounds;
use super::jail::Jail;
use super::tenant::TenantPolicy;

/// A right of a credential. `admin` includes all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Create, refresh, acknowledge and cancel uploads.
    UploadsWrite,
    /// Read uploads and their events.
    UploadsRead,
    /// List, inspect and download datasets.
    DatasetsRead,
    /// Delete datasets and their uploads.
    DatasetsDelete,
    /// Report the outcome of processing.
    ProcessingWrite,
    /// Everything that the tenant may do.
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

    /// The scopes that an upload token may have.
    pub const FOR_TOKENS: [Self; 5] = [
        Self::UploadsWrite,
        Self::UploadsRead,
        Self::DatasetsRead,
        Self::DatasetsDelete,
        Self::ProcessingWrite,
    ];

    /// The name in API keys and tokens.
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
    /// The tenant whose data the caller may access.
    pub tenant: String,
    /// The part of the bucket that the caller may reach.
    pub jail: Jail,
    /// The limits of the tenant for its uploads.
    pub policy: Arc<TenantPolicy>,
    /// The scopes of the credential.
    pub scopes: Vec<Scope>,
    /// The id of the API key that authenticated the caller, or that its upload token was issued
    /// with. `None` for a JWT, for an upload token that was issued with a JWT, and if
    /// authentication is off.
    pub key_id: Option<Uuid>,
    /// The credential that authenticated the caller.
    pub credential: Credential,
    /// Further limits of the credential.
    pub bounds: Bounds,
}

/// Identifies the credential of a caller without revealing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// There is none, because authentication is off.
    AuthenticationOff,
    /// The API key with this id.
    Key(Uuid),
    /// The upload token with this fingerprint.
    UploadToken(String),
    /// None: the broker itself acts for the tenant, such as a worker that writes a result.
    Broker,
    /// A JWT: its subject, or its fingerprint if it has no subject.
    Jwt(String),
}

impl Principal {
    /// Whether the caller has `scope`, or `admin`, which includes it.
    pub fn has_scope(&self, scope: Scope) -> bool {
        self.scopes
            .iter()
            .any(|held| *held == scope || *held == Scope::Admin)
    }

    /// The name of the caller in the audit. It never contains the credential itself.
    pub fn identity(&self) -> Cow<'static, str> {
        match &self.credential {
            Credential::AuthenticationOff => "anyone".into(),
            Credential::Broker => "broker".into(),
            Credential::Key(id) => format!("key:{id}").into(),
            Credential::UploadToken(fingerprint) => format!("token:{fingerprint}").into(),
            Credential::Jwt(subject) => format!("jwt:{subject}").into(),
        }
    }

    /// The key under which the calls of this caller are counted for the rate limits.
    ///
    /// An upload token shares the key of the API key that it was derived from, so that issuing
    /// tokens does not raise the limit of an API key. All tokens of a tenant that were issued with
    /// JWTs share one key.
    pub fn rate_limit_key(&self) -> String {
        match (&self.credential, self.key_id) {
            (Credential::Jwt(subject), _) => format!("{} jwt:{subject}", self.tenant),
            (_, Some(id)) => id.to_string(),
            (Credential::UploadToken(_), None) => format!("{} tokens", self.tenant),
            (_, None) => self.tenant.clone(),
        }
    }
}
