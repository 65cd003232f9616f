//! Mint: an upload token for somebody who shall do a little, for a while.
//!
//! It is signed, and nothing of it is written down: its count begins with its first use. It never
//! opens more than the credential that asks for it, does not outlive that, and what it is used for
//! counts against the tokens that it was made of, too.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::bounds::Allowance;
use crate::domain::prefix::PathPrefix;
use crate::domain::principal::{Principal, Scope};
use crate::domain::refusal::{Code, FieldError, Refusal};
use crate::identity::Grant;
use crate::identity::upload_token::UploadToken;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::faults::Faults;
use crate::usecases::identity::authenticate::fingerprint;
use crate::usecases::identity::keys::hash;
use crate::usecases::ids::new_id;

/// How long a token lives where nobody says, in seconds.
pub const DEFAULT_SECONDS: u32 = 900;
/// How long a token may live, in seconds: nobody can take it back before.
pub const MAX_SECONDS: u32 = 86_400;
/// Tokens that are counted with one that was made of them. Each makes it longer.
const MAX_ALLOWANCES: usize = 8;
/// What fits the columns.
const MAX_VALUE: u64 = i64::MAX.unsigned_abs();

/// What is asked for, as it came.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// The folder that it opens; all that the caller may reach where it does not say.
    pub prefix: Option<String>,
    /// What it may do. The caller holds these.
    pub scopes: Vec<Scope>,
    /// How long it lives, in seconds.
    pub expires_in: Option<u32>,
    /// Uploads at most.
    pub max_uploads: Option<u64>,
    /// Declared bytes at most, all uploads together.
    pub max_bytes: Option<u64>,
}

/// A new token. It is nowhere else.
#[derive(Debug)]
pub struct IssuedToken {
    /// What travels in `Authorization: Bearer`, or in the path.
    pub token: SecretString,
    /// What the audit calls it.
    pub fingerprint: String,
    /// The folder that it opens; all that the tenant has where there is none.
    pub prefix: Option<PathPrefix>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Makes a token. Refused where it would open more than the caller may.
pub async fn issue(broker: &Broker, principal: &Principal, new: NewToken) -> Result<IssuedToken> {
    let prefix = check(&new)?;
    let prefix = restrict_to_caller(principal, &new, prefix)?;
    let now = broker.clock.now();
    let seconds = new.expires_in.unwrap_or(DEFAULT_SECONDS);
    let ends_at = now + TimeDelta::seconds(seconds.into());
    let bounds = &principal.bounds;
    let ends_at = ends_at
        .min(bounds.ends_at.unwrap_or(ends_at))
        .trunc_subsecs(0);
    let before = bounds
        .token_allowances
        .as_ref()
        .map(|allowances| allowances.as_slice());
    let mut allowances = before.unwrap_or_default().to_vec();
    if new.max_uploads.is_some() || new.max_bytes.is_some() {
        allowances.push(Allowance {
            token: new_id(now),
            uploads: new.max_uploads,
            bytes: new.max_bytes,
            ends_at,
        });
    }
    if allowances.len() > MAX_ALLOWANCES {
        let detail = format!(
            "This token would be counted {MAX_ALLOWANCES} times over: ask for it with the credential that the first of them came from."
        );
        return Err(Refusal::new(Code::TokenTooWide, detail).into());
    }
    let opened = prefix.clone();
    let token = UploadToken {
        grant: Grant {
            tenant: principal.tenant.clone(),
            scopes: new.scopes,
            prefix,
            max_size: bounds.max_size,
            ends_at,
            subject: None,
        },
        key: principal.key_id,
        allowances,
    };
    let key = broker.token_key().await?;
    let signed = key.sign(&token);
    let token = signed.map_err(|cause| Error::Internal(cause.into()))?;
    Ok(IssuedToken {
        fingerprint: fingerprint(&hash(token.expose_secret())),
        prefix: opened,
        token,
        expires_at: ends_at,
    })
}

/// Holds each field against its own rule; the answer is the prefix.
fn check(new: &NewToken) -> Result<Option<PathPrefix>, Refusal> {
    let mut faults = Faults::default();
    let prefix = new.prefix.as_deref().unwrap_or_default();
    let prefix = PathPrefix::parse(prefix)
        .map_err(|invalid| faults.add("/prefix", invalid.to_string()))
        .ok();
    if new.scopes.is_empty() {
        faults.add("/scopes", "expected at least one");
    }
    if new.scopes.contains(&Scope::Admin) {
        faults.add("/scopes", "admin is not for tokens: name what it shall do");
    }
    if let Some(seconds) = new.expires_in
        && !(1..=MAX_SECONDS).contains(&seconds)
    {
        let detail = format!("expected 1 to {MAX_SECONDS} seconds, found {seconds}");
        faults.add("/expires_in", detail);
    }
    for (pointer, value) in [
        ("/max_uploads", new.max_uploads),
        ("/max_bytes", new.max_bytes),
    ] {
        if value.is_some_and(|value| !(1..=MAX_VALUE).contains(&value)) {
            faults.add(pointer, format!("expected 1 to {MAX_VALUE}"));
        }
    }
    faults.into_result()?;
    Ok(prefix.flatten())
}

/// Holds what is asked for against what the caller may; the answer is the prefix that it gets.
fn restrict_to_caller(
    principal: &Principal,
    new: &NewToken,
    prefix: Option<PathPrefix>,
) -> Result<Option<PathPrefix>, Refusal> {
    let mut too_wide = Vec::new();
    let own = principal.jail.folder();
    let prefix = match (prefix, own) {
        // Nothing was asked for: what the caller has.
        (None, own) if new.prefix.is_none() => own.cloned(),
        (Some(prefix), Some(own)) if !own.contains(prefix.as_str()) => {
            too_wide.push(("/prefix", format!("lies outside of {own}")));
            None
        }
        (None, Some(own)) => {
            too_wide.push(("/prefix", format!("is more than {own}")));
            None
        }
        (prefix, _) => prefix,
    };
    let allowances = principal.bounds.token_allowances.as_ref();
    for (pointer, asked, own) in [
        (
            "/max_uploads",
            new.max_uploads,
            allowances.and_then(|allowances| allowances.max_uploads()),
        ),
        (
            "/max_bytes",
            new.max_bytes,
            allowances.and_then(|allowances| allowances.max_bytes()),
        ),
    ] {
        if let (Some(asked), Some(own)) = (asked, own)
            && asked > own
        {
            too_wide.push((pointer, format!("is more than {own}")));
        }
    }
    if too_wide.is_empty() {
        return Ok(prefix);
    }
    let errors: Vec<_> = (too_wide.into_iter())
        .map(|(pointer, detail)| FieldError::new(pointer, detail))
        .collect();
    Err(Refusal {
        code: Code::TokenTooWide,
        ..Refusal::invalid(errors)
    })
}
