//! `webhooks`: do the endpoints of tenants accept events?

use super::time_limit::{TIME_LIMIT, timed_out};
use super::verdict::Verdict;
use crate::domain::event::timestamp;
use crate::store::Connection;
use crate::store::webhooks::{self, Webhook};

/// How many webhooks with problems are named.
const MAX_NAMED: usize = 10;

pub(super) async fn check_webhooks(connection: &mut Connection) -> Verdict {
    match tokio::time::timeout(TIME_LIMIT, webhooks::list(connection, None)).await {
        Ok(Ok(all)) => verdict(&all),
        Ok(Err(error)) => Verdict::error(&error, "see the log of Postgres"),
        Err(_) => timed_out(),
    }
}

fn verdict(all: &[Webhook]) -> Verdict {
    let named: Vec<String> = all.iter().filter_map(problem).collect();
    if named.is_empty() {
        return Verdict::ok(match all.len() {
            0 => "there are no webhooks".to_owned(),
            count => format!("{count} webhooks, none of them disabled or failing"),
        });
    }
    let mut text: Vec<String> = named.iter().take(MAX_NAMED).cloned().collect();
    if named.len() > MAX_NAMED {
        text.push(format!("and {} more", named.len() - MAX_NAMED));
    }
    Verdict::warning(
        text.join("; "),
        "repair the endpoint, then run `upload-broker webhooks enable ID`; `webhooks replay` sends \
         what happened while it was disabled",
    )
}

/// What is wrong with a webhook. The URL is not named, because it may contain a secret.
fn problem(webhook: &Webhook) -> Option<String> {
    let (id, tenant) = (webhook.id, &webhook.tenant);
    let state = match (webhook.disabled_at, webhook.failing_since) {
        (Some(at), _) => format!("was disabled at {}", timestamp(at)),
        (None, Some(since)) => format!("accepts nothing since {}", timestamp(since)),
        (None, None) => return None,
    };
    let waiting = webhook.waiting;
    let error = webhook.last_error.as_deref().unwrap_or("unknown");
    Some(format!(
        "{id} of tenant {tenant} {state} ({error}), {waiting} events wait"
    ))
}
