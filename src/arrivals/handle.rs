//! Processes one message.

use std::sync::Arc;

use super::message::ParsedMessage;
use crate::sqs::queue::ReceivedMessage;
use crate::telemetry::trace::{Span, SpanKind, with_scope};
use crate::usecases::maintenance::arrived::{Arrived, arrived};
use crate::usecases::{Broker, Error};

/// The outcome of one message, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// The message concerns no upload.
    Ignored,
    /// Everything that the message reports was processed.
    Done,
    /// The readable part of the message was processed; the rest cannot be parsed.
    PartlyUnreadable,
    /// The row of an object's upload may not be visible yet.
    RowNotVisible,
    /// Processing failed, for example because Postgres is unavailable.
    Failed,
    /// Processing did not start, because the process stops.
    NotStarted,
}

/// Processes the objects of a message one after the other. The worst outcome of them is the outcome of
/// the message, so a message is done only if all its objects are.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    message: &ReceivedMessage,
    parsed: &ParsedMessage,
) -> Verdict {
    let mut verdict = match parsed.unreadable {
        Some(_) => Verdict::PartlyUnreadable,
        None => Verdict::Ignored,
    };
    for change in &parsed.changes {
        let span = change_span(broker, &message.id);
        let arrived = arrived(broker, &change.bucket, &change.key);
        let one = match with_scope(span.own_scope(), arrived).await {
            Ok(outcome) => log_outcome(outcome),
            Err(error) => {
                let (id, receives) = (&message.id, message.receives);
                let cause = cause(&error);
                log::warn!(
                    "s3 events: cannot process message {id} (receive {receives}): {error}{cause}"
                );
                Verdict::Failed
            }
        };
        verdict = verdict.max(one);
    }
    verdict
}

/// With traces, each object is a trace of its own, which the events that it causes belong to.
fn change_span(broker: &Broker, message: &str) -> Span {
    let Some(tracer) = &broker.observers.tracer else {
        return Span::none();
    };
    let mut span = tracer.detached_span("process S3 event", SpanKind::Consumer, None);
    span.set("messaging.message.id", message.to_owned());
    span
}

/// Logs what became of one object, and returns the verdict that follows from it.
fn log_outcome(outcome: Arrived) -> Verdict {
    match outcome {
        Arrived::ForeignObject => return Verdict::Ignored,
        Arrived::NotYet(id) => {
            log::debug!("s3 events: the object of upload {id} arrived before its row is visible");
            return Verdict::RowNotVisible;
        }
        Arrived::Known => {}
        Arrived::Uploaded(id) => log::info!("s3 events: upload {id} is now Uploaded"),
        Arrived::Refused(id, code) => {
            log::info!(
                "s3 events: upload {id} is not acknowledged: {}",
                code.as_str()
            );
        }
        Arrived::Drifted(id, drift) => {
            log::info!("s3 events: the object of upload {id} is {drift}");
        }
        Arrived::Restored(id) => log::info!("s3 events: the object of upload {id} is restored"),
    }
    Verdict::Done
}

fn cause(error: &Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map(|cause| format!(": {cause}")).unwrap_or_default()
}
