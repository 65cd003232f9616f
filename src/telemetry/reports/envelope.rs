//! The envelope of a report.
//!
//! Sources: <https://develop.sentry.dev/sdk/data-model/envelopes/> and
//! <https://develop.sentry.dev/sdk/data-model/event-payloads/>

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::fault::{Fault, FaultKind};
use crate::telemetry::log::scrub::scrub;

/// The largest number of characters of a cause.
const MAX_CAUSE_CHARS: usize = 4096;
/// The version of the broker, as Sentry names releases.
const RELEASE: &str = concat!("upload-broker@", env!("CARGO_PKG_VERSION"));

/// Makes the envelope of a fault: its header, the header of its only item, and the event.
pub(super) fn envelope(fault: &Fault, environment: &str, now: DateTime<Utc>) -> String {
    let id = Uuid::new_v4().simple().to_string();
    let event = event(fault, &id, environment, now).to_string();
    let header = json!({"event_id": id, "sent_at": timestamp(now)});
    let item = json!({"type": "event", "length": event.len()});
    format!("{header}\n{item}\n{event}\n")
}

fn event(fault: &Fault, id: &str, environment: &str, now: DateTime<Utc>) -> Value {
    let cause: String = scrub(&fault.cause).chars().take(MAX_CAUSE_CHARS).collect();
    let is_panic = fault.kind == FaultKind::Panic;
    let mut event = json!({
        "event_id": id,
        "timestamp": timestamp(now),
        "platform": "native",
        "level": if is_panic { "fatal" } else { "error" },
        "logger": "upload_broker",
        "release": RELEASE,
        "environment": environment,
        "tags": tags(fault),
        "exception": {"values": [{
            "type": fault.kind.as_str(),
            "value": cause,
            "mechanism": {"type": "generic", "handled": !is_panic},
        }]},
    });
    let Some(members) = event.as_object_mut() else {
        return event;
    };
    let request = fault.request.as_ref();
    if let Some(request) = request {
        let route = request.route.as_deref().unwrap_or("unmatched");
        let transaction = format!("{} {route}", request.method);
        members.insert("transaction".to_owned(), json!(transaction));
        if let (Some(trace), Some(span)) = (&request.trace_id, &request.span_id) {
            let trace = json!({"trace": {"trace_id": trace, "span_id": span}});
            members.insert("contexts".to_owned(), trace);
        }
    }
    event
}

fn tags(fault: &Fault) -> Map<String, Value> {
    let request = fault.request.as_ref();
    let all = [
        ("request_id", request.map(|request| &*request.id)),
        ("method", request.map(|request| &*request.method)),
        (
            "route",
            request.and_then(|request| request.route.as_deref()),
        ),
        (
            "tenant",
            request.and_then(|request| request.tenant.as_deref()),
        ),
        ("task", fault.task),
    ];
    let known = all
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    known
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
}

fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
