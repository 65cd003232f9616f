//! Traces reach an OpenTelemetry collector, and lead from a notification back to its request. Internal
//! errors and panics reach Sentry. Neither contains a secret, and neither delays a request.

mod background;
mod collector;
mod contexts;
mod logs;
mod one_trace;
mod outages;
mod reports;
mod sampling;
mod secrets;
mod settings;

use reqwest::Method;

use crate::support::app::App;
use crate::support::reply::Reply;

/// The context of a caller with these ids.
fn traceparent(trace: u128, span: u64) -> String {
    format!("00-{trace:032x}-{span:016x}-01")
}

/// Sends a POST request without a body, with this trace context.
async fn post_in_trace(app: &App, path: &str, traceparent: &str) -> Reply {
    let request = app.request(Method::POST, path);
    Reply::of(request.header("traceparent", traceparent)).await
}
