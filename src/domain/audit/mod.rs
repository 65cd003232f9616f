//! The audit: who did what, to what, and until when what was handed out is good.
//!
//! It names keys, uploads and paths; a key itself, a token or a pre-signed URL is never in it.

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
    /// Somebody without a credential that counts.
    Anonymous,
    /// An authenticated caller.
    Caller(Arc<Principal>),
    /// Whoever runs commands on the database, in the matters of this tenant.
    Operator {
        /// Its name.
        tenant: String,
    },
    /// More than can be told apart.
    Many,
    /// The broker itself.
    Broker,
}

impl Actor {
    /// The name, as it stands in the row.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Anonymous => "anonymous".into(),
            Self::Caller(principal) => principal.identity(),
            Self::Operator { .. } => "operator".into(),
            Self::Many => "many".into(),
            Self::Broker => "broker".into(),
        }
    }

    /// Tenants data it was about, where that is known.
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::Caller(principal) => Some(&principal.tenant),
            Self::Operator { tenant } => Some(tenant),
            Self::Anonymous | Self::Many | Self::Broker => None,
        }
    }
}

/// Who it was, and where from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Who performed the action.
    pub actor: Actor,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The `x-request-id` of its answer.
    pub request_id: Option<Arc<str>>,
}

impl From<Actor> for Origin {
    /// Someone who sent no request.
    fn from(actor: Actor) -> Self {
        Self {
            actor,
            address: None,
            request_id: None,
        }
    }
}

/// What was done, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionDetails {
    /// What.
    pub action: Action,
    /// To this upload.
    pub upload_id: Option<Uuid>,
    /// To this key, token or tenant, or from this path.
    pub subject: Option<String>,
    /// At this path, as the tenant sees it.
    pub path: Option<String>,
    /// When what was handed out ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// The code of the problem that was answered.
    pub code: Option<&'static str>,
}

impl ActionDetails {
    /// Nothing but the action.
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

    /// Done to an upload.
    pub fn on_upload(action: Action, upload: &Upload) -> Self {
        Self {
            upload_id: Some(upload.id),
            ..Self::on_path(action, &upload.path)
        }
    }

    /// Done at a path.
    pub fn on_path(action: Action, path: &DatasetPath) -> Self {
        Self {
            path: Some(path.as_str().to_owned()),
            ..Self::new(action)
        }
    }

    /// Done to a key, a token or a tenant.
    pub fn on_subject(action: Action, subject: impl fmt::Display) -> Self {
        Self {
            subject: Some(subject.to_string()),
            ..Self::new(action)
        }
    }

    /// The same, of something that ends then.
    pub fn expiring_at(self, expires_at: DateTime<Utc>) -> Self {
        Self {
            expires_at: Some(expires_at),
            ..self
        }
    }
}

/// A row to be.
#[derive(Clone, Debug)]
pub struct Entry {
    /// UUIDv7, made with `at`.
    pub id: Uuid,
    /// When; of repetitions, the first.
    pub at: DateTime<Utc>,
    /// By whom.
    pub origin: Origin,
    /// What was asked for: the method and the pattern of the route.
    pub operation: Option<String>,
    /// What.
    pub details: ActionDetails,
    /// How often.
    pub count: i32,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// UUIDv7.
    pub id: Uuid,
    /// When; of repetitions, the first.
    pub at: DateTime<Utc>,
    /// Tenants data it was about.
    pub tenant: Option<String>,
    /// The name of an [`Actor`].
    pub actor: String,
    /// Where the request came from.
    pub address: Option<String>,
    /// The `x-request-id` of its answer.
    pub request_id: Option<String>,
    /// The name of an [`Action`].
    pub action: String,
    /// The method and the pattern of the route.
    pub operation: Option<String>,
    /// The upload.
    pub upload_id: Option<Uuid>,
    /// The key, the token or the tenant.
    pub subject: Option<String>,
    /// The path, as the tenant sees it.
    pub path: Option<String>,
    /// When what was handed out ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// The code of a problem.
    pub code: Option<String>,
    /// How often.
    pub count: i32,
}

/// What somebody sent, fit for a row: one line of at most 1,024 characters.
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
    fn what_somebody_sent_is_one_short_line() {
        assert_eq!(sanitize("/a\n\0b"), "/a\u{fffd}\u{fffd}b");
        assert_eq!(sanitize(&"é".repeat(2_000)).chars().count(), 1_024);
    }
}
