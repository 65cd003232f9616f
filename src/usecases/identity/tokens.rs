//! Issues upload tokens: short-lived credentials with a folder and allowances.
//!
//! A token is signed and not stored: its uses are counted from the first one. It never permits more
//! than the credential that requested it and does not outlive it, and its uses also count against
//! the tokens that it was created with.

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

/// The default lifetime of a token, in seconds.
pub const DEFAULT_SECONDS: u32 = 900;
/// The longest lifetime of a token, in seconds. A token cannot be revoked before it expires.
pub const MAX_SECONDS: u32 = 86_400;
/// The largest number of allowances in a token: its own, and those of the tokens that it was
/// created with. Each makes the token longer.
const MAX_ALLOWANCES: usize = 8;
/// The largest value that the columns can store.
const MAX_VALUE: u64 = i64::MAX.unsigned_abs();

/// The parameters of a new token, before validation.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// The folder of the token; by default everything that the caller may reach.
    pub prefix: Option<String>,
    /// The scopes of the token. The caller must have them.
    pub scopes: Vec<Scope>,
    /// The lifetime, in seconds.
    pub expires_in: Option<u32>,
    /// The largest number of uploads.
    pub max_uploads: Option<u64>,
    /// The largest number of declared bytes of all uploads together.
    pub max_bytes: Option<u64>,
}

/// A new token. It is stored nowhere.
#[derive(Debug)]
pub struct IssuedToken {
    /// The secret, for `Authorization: Bearer` or the path.
    pub token: SecretString,
    /// The name of the token in the audit.
    pub fingerprint: String,
    /// The folder of the token; `None` permits everything of the tenant.
    pub prefix: Option<PathPrefix>,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
}

/// Issues a token. Refuses one that would permit more than the caller may do.
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
            "This token would have more than {MAX_ALLOWANCES} allowances: request it with the credential that issued the first of them."
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

/// Validates each field, and returns the prefix.
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
        faults.add(
            "/scopes",
            "a token cannot have the scope admin: use the other scopes",
        );
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

/// Restricts the token to what the caller may do, and returns its prefix.
fn restrict_to_caller(
    principal: &Principal,
    new: &NewToken,
    prefix: Option<PathPrefix>,
) -> Result<Option<PathPrefix>, Refusal> {
    let mut too_wide = Vec::new();
    let own = principal.jail.folder();
    let prefix = match (prefix, own) {
        // No prefix was requested: the token gets the caller's.
        (None, own) if new.prefix.is_none() => own.cloned(),
        (Some(prefix), Some(own)) if !own.contains(prefix.as_str()) => {
            too_wide.push(("/prefix", format!("is outside of {own}")));
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
