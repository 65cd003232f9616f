//! The work on one endpoint under its lease: read due events, send them, record the outcomes, until
//! nothing is due, the endpoint fails, the lease ends, or it is the turn of another endpoint.

use std::time::Instant;

use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection as _;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use super::attempt::{Round, Sent};
use super::health::{Verdict, judge};
use super::relay::WebhookRelay;
use crate::lifecycle::renewal::{Renewal, Renewed};
use crate::notify::outcome::RelayError;
use crate::store::lease::Lease;
use crate::store::webhooks::{self, ClaimedWebhook, DueDelivery, Health};

/// The number of events that a round reads. After a crash, at most these are sent a second time.
const MAX_EVENTS: i64 = 16;
/// The number of rounds under one lease, which is also limited by time. Then other endpoints get their
/// turn, and changes of the endpoint, such as a new secret, apply.
const MAX_ROUNDS: u32 = 64;

impl WebhookRelay {
    /// Sends what is due for an endpoint that was leased, and releases it. Returns whether the
    /// endpoint accepted an event.
    pub(super) async fn work(
        &self,
        webhook: ClaimedWebhook,
        lease: &Lease,
        stop: &CancellationToken,
    ) -> bool {
        let id = webhook.id;
        let renewal = Renewal::new(lease.length());
        let deliver = self.deliver(webhook, lease, renewal.lost(), stop);
        let outcome = renewal.during(|| self.renew(id, lease), deliver).await;
        let accepted = outcome.unwrap_or_else(|error| {
            log::warn!("webhook {id}: {error}; its events are sent again later");
            false
        });
        if let Err(error) = self.release(id, lease).await {
            log::warn!("webhook {id}: cannot release its lease, which ends by itself: {error}");
        }
        accepted
    }

    async fn deliver(
        &self,
        webhook: ClaimedWebhook,
        lease: &Lease,
        lease_lost: &CancellationToken,
        stop: &CancellationToken,
    ) -> Result<bool, RelayError> {
        let url = Url::parse(&webhook.url).ok();
        let (mut health, mut accepted) = (webhook.health.clone(), false);
        let mut due = self.due(&webhook, &health).await?;
        // The time starts after the first read, so that something is sent however slow Postgres is.
        let end = Instant::now() + self.limits.work_time;
        let round = Round {
            client: &self.client,
            clock: &self.clock,
            tracer: self.tracer.as_ref(),
            url: url.as_ref(),
            secrets: &webhook.secrets,
            end,
            lease_lost,
            stop,
        };
        for _ in 0..MAX_ROUNDS {
            let sent = round.send_all(&due).await;
            let now = self.clock.now();
            let Some(verdict) = judge(&health, &sent, now) else {
                return Ok(accepted);
            };
            let is_recorded = self.record(&webhook, lease, &verdict, now).await?;
            for label in sent.iter().filter_map(|sent| sent.outcome.label()) {
                self.metrics.webhooks.sent(label);
            }
            if !is_recorded {
                let id = webhook.id;
                log::warn!(
                    "webhook {id} was removed or enabled, or another relay has leased it and sends its events again"
                );
                return Ok(accepted);
            }
            accepted |= !verdict.delivered.is_empty();
            self.log(&webhook, &sent, &verdict);
            if !verdict.goes_on || Instant::now() >= end {
                return Ok(accepted);
            }
            health = verdict.health;
            due = self.due(&webhook, &health).await?;
        }
        Ok(accepted)
    }

    /// Reads the events of the next round.
    async fn due(
        &self,
        webhook: &ClaimedWebhook,
        health: &Health,
    ) -> Result<Vec<DueDelivery>, RelayError> {
        // One event suffices to find out whether the endpoint accepts any.
        let limit = match health.failures {
            0 => MAX_EVENTS,
            _ => 1,
        };
        let _permit = self.acquire_connection_permit().await;
        let mut connection = self.pool.get().await?;
        let now = self.clock.now();
        Ok(webhooks::due(&mut connection, webhook.id, now, limit).await?)
    }

    /// Records a verdict of the time `now`, if the endpoint still has the lease. Returns whether it has.
    async fn record(
        &self,
        webhook: &ClaimedWebhook,
        lease: &Lease,
        verdict: &Verdict,
        now: DateTime<Utc>,
    ) -> Result<bool, RelayError> {
        let id = webhook.id;
        let _permit = self.acquire_connection_permit().await;
        let mut connection = self.pool.get().await?;
        let recorded = connection
            .transaction(async |connection| {
                if !webhooks::lock_leased(connection, id, lease).await? {
                    return Ok::<_, crate::store::Error>(false);
                }
                webhooks::delete_delivered(connection, id, &verdict.delivered).await?;
                if let Some(recovery) = verdict.recovery {
                    webhooks::make_due(connection, id, recovery.failing_since, now).await?;
                    if let Some(first) = recovery.first_failure {
                        webhooks::limit_failing_time(connection, id, first).await?;
                    }
                }
                for (event, due_at, reason) in &verdict.postponed {
                    webhooks::postpone(connection, id, *event, now, *due_at, reason).await?;
                }
                webhooks::set_health(connection, id, &verdict.health).await?;
                Ok(true)
            })
            .await?;
        Ok(recorded)
    }

    /// Logs a round. The URL is not logged, because it may contain a secret.
    fn log(&self, webhook: &ClaimedWebhook, sent: &[Sent<'_>], verdict: &Verdict) {
        let (id, tenant) = (webhook.id, &webhook.tenant);
        for Sent { delivery, .. } in sent {
            let event = delivery.event.id;
            if verdict.delivered.contains(&event) {
                let upload = delivery.event.upload_id;
                log::info!("webhook {id} accepted event {event} of upload {upload}");
            }
        }
        for (event, due_at, reason) in &verdict.postponed {
            log::warn!("webhook {id} did not accept event {event}, next try {due_at}: {reason}");
        }
        if verdict.health.disabled_at.is_some() {
            self.metrics.webhooks.disabled();
            let reason = verdict.health.last_error.as_deref().unwrap_or_default();
            log::error!(
                "webhook {id} of tenant {tenant} is disabled, its events wait until `webhooks enable {id}`, or until they are removed by retention: {reason}"
            );
        }
    }

    async fn renew(&self, id: Uuid, lease: &Lease) -> Renewed {
        let renewed = async {
            let _permit = self.acquire_connection_permit().await;
            let mut connection = self.pool.get().await?;
            Ok::<_, RelayError>(webhooks::renew_leases(&mut connection, &[id], lease).await?)
        };
        match renewed.await {
            Ok(held) if held.is_empty() => Renewed::Lost,
            Ok(_) => Renewed::Held,
            Err(error) => {
                log::warn!("webhook {id}: cannot renew its lease: {error}");
                Renewed::Failed
            }
        }
    }

    async fn release(&self, id: Uuid, lease: &Lease) -> Result<(), RelayError> {
        let _permit = self.acquire_connection_permit().await;
        let mut connection = self.pool.get().await?;
        Ok(webhooks::release(&mut connection, id, lease).await?)
    }
}
