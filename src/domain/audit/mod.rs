//! The audit: who performed which action on what, and until when an issued credential is valid.
//!
//! It names API keys, uploads and paths. It never contains a key itself, a token or a pre-signed
//! URL.

mod action;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use action::Action;

use super::path::DatasetPath;
use super::principal::Principal;
use super::upload::Upload;

/// Who performed the action.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A caller without a valid credential.
    Anonymous,
    /// An authenticated caller.
    Caller(Arc<Principal>),
    /// An operator who runs a command that concerns a tenant.
    Operator {
        /// The name of the tenant.
        tenant: String,
    },
    /// Several callers, which are not distinguished.
    Many,
    /// The broker itself.
    Broker,
}

impl Actor {
    /// The name in the audit row.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Anonymous => "anonymous".into(),
            Self::Caller(principal) => principal.identity(),
            Self::Operator { .. } => "operator".into(),
            Self::Many => "many".into(),
            Self::Broker => "broker".into(),
        }
    }

    /// The tenant whose data was concerned, if it is known.
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::Caller(principal) => Some(&principal.tenant),
            Self::Operator { tenant } => Some(tenant),
            Self::Anonymous | Self::Many | Self::Broker => None,
        }
    }
}

/// Who performed an action, and where the request came from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Who performed the action.
    pub actor: Actor,
    /// The client address of the request.
    pub address: Option<IpAddr>,
    /// The `x-request-id` of the response.
    pub request_id: Option<Arc<str>>,
}

impl From<Actor> for Origin {
    /// An actor without a request.
    fn from(actor: Actor) -> Self {
        Self {
            actor,
            address: None,
            request_id: None,
        }
    }
}

/// An action and what it was performed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionDetails {
    /// The kind of the action.
    pub action: Action,
    /// The upload.
    pub upload_id: Option<Uuid>,
    /// The API key, token, tenant or webhook, or the source path of a copy.
    pub subject: Option<String>,
    /// The path, as the tenant sees it.
    pub path: Option<String>,
    /// When the issued URL, token or key expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// The code of the problem in the response.
    pub code: Option<&'static str>,
}

impl ActionDetails {
    /// Details with only the kind of the action.
    pub const fn new(action: Action) -> Self {
        Self {
            action,
            upload_id: None,
            subject: None,
            path: None,
            expires_at: None,
            code: None,
        }
    }

    /// An action on an upload.
    pub fn on_upload(action: Action, upload: &Upload) -> Self {
        Self {
            upload_id: Some(upload.id),
            ..Self::on_path(action, &upload.path)
        }
    }

    /// An action on a path.
    pub fn on_path(action: Action, path: &DatasetPath) -> Self {
        Self {
            path: Some(path.as_str().to_owned()),
            ..Self::new(action)
        }
    }

    /// An action on an API key, a token, a tenant or a webhook.
    pub fn on_subject(action: Action, subject: impl fmt::Display) -> Self {
        Self {
            subject: Some(subject.to_string()),
            ..Self::new(action)
        }
    }

    /// Sets when the issued URL, token or key expires.
    pub fn expiring_at(self, expires_at: DateTime<Utc>) -> Self {
        Self {
            expires_at: Some(expires_at),
            ..self
        }
    }
}

/// An audit row that is not written yet.
#[derive(Clone, Debug)]
pub struct Entry {
    /// UUIDv7, based on `at`.
    pub id: Uuid,
    /// When the action was performed; for folded repetitions, the first time.
    pub at: DateTime<Utc>,
    /// Who performed it, and from where.
    pub origin: Origin,
    /// The method and the route pattern of the request.
    pub operation: Option<String>,
    /// What was done.
    pub details: ActionDetails,
    /// The number of repetitions.
    pub count: i32,
}

/// An audit row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// UUIDv7.
    pub id: Uuid,
    /// When the action was performed; for folded repetitions, the first time.
    pub at: DateTime<Utc>,
    /// The tenant whose data was concerned.
    pub tenant: Option<String>,
    /// The name of an [`Actor`].
    pub actor: String,
    /// The client address of the request.
    pub address: Option<String>,
    /// The `x-request-id` of the response.
    pub request_id: Option<String>,
    /// The name of an [`Action`].
    pub action: String,
    /// The method and the route pattern of the request.
    pub operation: Option<String>,
    /// The upload.
    pub upload_id: Option<Uuid>,
    /// The API key, token, tenant or webhook, or the source path of a copy.
    pub subject: Option<String>,
    /// The path, as the tenant sees it.
    pub path: Option<String>,
    /// When the issued URL, token or key expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// The code of the problem in the response.
    pub code: Option<String>,
    /// The number of repetitions.
    pub count: i32,
}

/// Makes text from a client fit for an audit row: one line without control characters, at most
/// 1,024 characters long.
pub fn sanitize(text: &str) -> String {
    let plain = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(plain).take(1_024).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sanitize_replaces_control_characters_and_truncates() {
        assert_eq!(sanitize("/a\n\0b"), "/a\u{fffd}\u{fffd}b");
        assert_eq!(sanitize(&"é".repeat(2_000)).chars().count(), 1_024);
    }
}
