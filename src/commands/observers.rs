//! Builds what records traces and reports faults, and runs what sends them.

use std::sync::Arc;

use futures::future::OptionFuture;
use tokio_util::sync::CancellationToken;

use super::assemble_error::AssembleError;
use crate::config::{self, Settings};
use crate::lifecycle::Shutdown;
use crate::telemetry::reports::{self, Fault, FaultKind, Reporter};
use crate::telemetry::{Metrics, trace};
use crate::usecases::context::Observers;

/// What sends spans and reports.
#[derive(Debug, Default)]
pub(super) struct Senders {
    spans: Option<trace::Exporter>,
    reports: Option<reports::Sender>,
}

/// Builds what the settings enable.
pub(super) fn build(
    settings: &Settings,
    metrics: &Arc<Metrics>,
) -> Result<(Observers, Senders), AssembleError> {
    let traces = settings.traces.as_ref().map(|settings| {
        let url = &settings.endpoint;
        log::info!("traces: sending {} to {url}", settings.sampler);
        trace::build(&trace_options(settings), Arc::clone(metrics))
    });
    let (tracer, spans) = traces.transpose().map_err(AssembleError::Traces)?.unzip();
    let reports = settings.sentry.clone().map(|settings| {
        let host = settings.dsn.envelopes.host_str().unwrap_or_default();
        log::info!("reporting internal errors to Sentry at {host}");
        reports::build(report_options(settings), Arc::clone(metrics))
    });
    let (reporter, reports) = reports.transpose().map_err(AssembleError::Reports)?.unzip();
    let senders = Senders { spans, reports };
    Ok((Observers { tracer, reporter }, senders))
}

fn trace_options(settings: &config::Traces) -> trace::Options {
    trace::Options {
        endpoint: trace::Endpoint {
            url: settings.endpoint.clone(),
            headers: settings.headers.clone(),
        },
        service_name: settings.service_name.clone(),
        resource: settings.resource.clone(),
        parent_based: settings.sampler.parent_based,
        ratio: settings.sampler.ratio,
    }
}

fn report_options(settings: config::Sentry) -> reports::Options {
    reports::Options {
        url: settings.dsn.envelopes,
        key: settings.dsn.key,
        environment: settings.environment,
    }
}

impl Senders {
    /// Sends while `work` runs, and what is left then, for a limited time. They are no supervised
    /// loops, because these end before their last spans and reports are sent.
    pub(super) async fn run_during<T>(self, work: impl Future<Output = T>) -> T {
        let over = CancellationToken::new();
        let spans = OptionFuture::from(self.spans.map(|spans| spans.run(over.clone())));
        let reports = OptionFuture::from(self.reports.map(|reports| reports.run(over.clone())));
        let work = async {
            let _over = over.clone().drop_guard();
            work.await
        };
        let (result, _, _) = tokio::join!(work, spans, reports);
        result
    }
}

/// Reports the loops that fail, and the panics of other tasks.
pub(super) fn report_failures(shutdown: &Shutdown, reporter: Option<&Reporter>) {
    let Some(reporter) = reporter.cloned() else {
        return;
    };
    shutdown.on_failure(move |name, reason, is_panic| {
        reporter.report(Fault {
            kind: match is_panic {
                true => FaultKind::Panic,
                false => FaultKind::LoopEnded,
            },
            cause: reason.to_owned(),
            request: None,
            task: Some(name),
        });
    });
}
