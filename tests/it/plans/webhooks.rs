//! Webhooks beside the long history.

use crate::support::app::App;
use crate::support::observe::eventually;

/// An enabled webhook, and a disabled one that has not got the whole history.
const WEBHOOKS: &str = "
    INSERT INTO webhooks (id, tenant, url, secret, created_at, disabled_at)
    SELECT gen_random_uuid(), 'default', 'https://127.0.0.1/', sha256('a'), now(), disabled_at
    FROM (VALUES (now()), (NULL)) AS states (disabled_at);
    INSERT INTO webhook_deliveries (event_id, webhook_id, upload_id, sequence, queued_at, due_at)
    SELECT events.id, webhooks.id, upload_id, sequence, at, at FROM events, webhooks
    WHERE disabled_at IS NOT NULL;
";

/// Adds the webhooks to the history.
pub async fn add(client: &tokio_postgres::Client) {
    client.batch_execute(WEBHOOKS).await.expect("webhooks");
}

/// Waits until the broker has tried to send an event, which it refuses to do to this address.
pub async fn wait_for_attempt(app: &App) {
    eventually("an event is sent", async || {
        let refused = r#"webhook_deliveries_total{outcome="private-address"}"#;
        app.metric(refused).await >= 1.0
    })
    .await;
}
