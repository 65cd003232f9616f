//! Sends reports to Sentry.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::envelope::envelope;
use super::fault::Fault;
use super::queue::{self, Reporter};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::ReportOutcome;
use crate::telemetry::outgoing::{USER_AGENT, client, describe, ends_in_time};

/// Where reports are sent.
#[derive(Clone, Debug)]
pub struct Options {
    /// The URL that envelopes are posted to.
    pub url: Url,
    /// The public key of the project.
    pub key: SecretString,
    /// The name of the environment.
    pub environment: String,
}

/// Sends reports while [`run`](Self::run) is awaited.
#[derive(Debug)]
pub struct Sender {
    faults: Receiver<Fault>,
    client: reqwest::Client,
    options: Options,
    metrics: Arc<Metrics>,
}

/// Creates a reporter, and the sender of its reports.
///
/// # Errors
/// The system lacks what an HTTP client needs.
pub fn build(
    options: Options,
    metrics: Arc<Metrics>,
) -> Result<(Reporter, Sender), reqwest::Error> {
    let client = client(HeaderMap::new())?;
    let (reporter, faults) = queue::new(Arc::clone(&metrics));
    let sender = Sender {
        faults,
        client,
        options,
        metrics,
    };
    Ok((reporter, sender))
}

impl Sender {
    /// Sends reports until `over` is cancelled, then those that are left, for at most two seconds.
    pub async fn run(mut self, over: CancellationToken) {
        if !ends_in_time(self.send_until(&over), &over).await {
            let waiting = self.faults.len();
            log::warn!("Sentry did not take the last reports in time; {waiting} more wait");
        }
    }

    /// Returns once `over` is cancelled and nothing is left.
    async fn send_until(&mut self, over: &CancellationToken) {
        loop {
            let fault = tokio::select! {
                fault = self.faults.recv() => fault,
                () = over.cancelled() => self.faults.try_recv().ok(),
            };
            let Some(fault) = fault else {
                return;
            };
            let outcome = match self.send(&fault).await {
                Ok(()) => ReportOutcome::Sent,
                Err(reason) => {
                    log::warn!("a report cannot be sent to Sentry: {reason}");
                    ReportOutcome::Failed
                }
            };
            self.metrics.reports.ended(outcome);
        }
    }

    async fn send(&self, fault: &Fault) -> Result<(), String> {
        let key = self.options.key.expose_secret();
        let auth = format!("Sentry sentry_version=7, sentry_client={USER_AGENT}, sentry_key={key}");
        let mut auth = HeaderValue::try_from(auth).map_err(|cause| cause.to_string())?;
        auth.set_sensitive(true);
        let call = (self.client.post(self.options.url.clone()))
            .header(header::CONTENT_TYPE, "application/x-sentry-envelope")
            .header("x-sentry-auth", auth)
            .body(envelope(fault, &self.options.environment, now()));
        let sent = call.send().await.map_err(describe)?;
        match sent.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("status {status}")),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "reports have the time of the machine, as log lines have"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
