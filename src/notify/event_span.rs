//! The span of an event that is sent: a child of the span that caused the event, which may have ended
//! long ago and in another process.

use crate::store::outbox::OutboxEvent;
use crate::telemetry::trace::{RemoteContext, Span, SpanKind, Tracer};

/// Starts the span of an event. It is empty without a tracer.
pub(super) fn event_span(
    tracer: Option<&Tracer>,
    operation: &'static str,
    kind: SpanKind,
    event: &OutboxEvent,
) -> Span {
    let Some(tracer) = tracer else {
        return Span::none();
    };
    let cause = event.traceparent.as_deref().and_then(RemoteContext::parse);
    let mut span = tracer.root_span(format!("{operation} {}", event.kind), kind, cause);
    if span.is_recorded() {
        span.set("cloudevents.event_id", event.id.to_string());
        span.set("cloudevents.event_type", event.kind.clone());
        span.set("upload_broker.tenant", event.tenant.clone());
        span.set("upload_broker.upload_id", event.upload_id.to_string());
        span.set("upload_broker.attempt", i64::from(event.attempts));
    }
    span
}
