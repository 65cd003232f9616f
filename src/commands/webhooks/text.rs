//! Formats webhooks as text and as JSON.

use std::process::ExitCode;

use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::commands::output::{expose, or_dash, print_stderr};
use crate::domain::event::timestamp;
use crate::store::webhooks::Webhook;
use crate::usecases::webhooks::AddedWebhook;

/// A secret in the form that is printed once, with what it belongs to.
#[derive(Serialize)]
pub(super) struct PrintedSecret<'a> {
    id: Uuid,
    #[serde(serialize_with = "expose")]
    secret: &'a SecretString,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    added: Option<Added<'a>>,
}

#[derive(Serialize)]
struct Added<'a> {
    tenant: &'a str,
    types: Option<&'a [&'static str]>,
    url: &'a str,
}

impl<'a> PrintedSecret<'a> {
    /// The new secret of a webhook.
    pub(super) fn new(id: Uuid, secret: &'a SecretString) -> Self {
        let added = None;
        Self { id, secret, added }
    }

    /// A new webhook.
    pub(super) fn of_added(webhook: &'a AddedWebhook) -> Self {
        Self {
            added: Some(Added {
                tenant: &webhook.tenant,
                types: webhook.types.as_deref(),
                url: &webhook.url,
            }),
            ..Self::new(webhook.id, &webhook.secret)
        }
    }
}

/// One webhook on one line.
pub(super) fn line(webhook: &Webhook) -> String {
    let types = (webhook.types.as_ref()).map_or_else(|| "all".to_owned(), |types| types.join(","));
    let state = match (webhook.disabled_at, webhook.failing_since) {
        (Some(at), _) => format!("disabled {}", timestamp(at)),
        (None, Some(since)) => format!("failing since {}", timestamp(since)),
        (None, None) => "enabled".to_owned(),
    };
    let last = or_dash(webhook.last_delivered_at.map(timestamp));
    let error =
        (webhook.last_error.as_ref()).map_or_else(String::new, |error| format!(": {error}"));
    format!(
        "{}  {}  {}  {types}  waiting {}  last delivered {last}  {state}{error}",
        webhook.id, webhook.tenant, webhook.url, webhook.waiting
    )
}

/// The stored data of a webhook, without its secret.
pub(super) fn as_json(webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id,
        "tenant": webhook.tenant,
        "url": webhook.url,
        "types": webhook.types,
        "created_at": timestamp(webhook.created_at),
        "failing_since": webhook.failing_since.map(timestamp),
        "disabled_at": webhook.disabled_at.map(timestamp),
        "last_delivered_at": webhook.last_delivered_at.map(timestamp),
        "last_error": webhook.last_error,
        "waiting": webhook.waiting,
    })
}

/// Reports what was done to a webhook, or that there is none.
pub(super) fn report(found: bool, id: Uuid, done: &str) -> ExitCode {
    if found {
        print_stderr(&format!("Webhook {id} {done}."));
        return ExitCode::SUCCESS;
    }
    print_stderr(&format!("There is no webhook {id}."));
    ExitCode::FAILURE
}
