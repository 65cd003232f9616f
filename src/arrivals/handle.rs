//! From one message to what becomes of it.

use super::message::Contents;
use super::queue::Received;
use crate::usecases::maintenance::arrived::{Arrived, arrived};
use crate::usecases::{Broker, Error};
use std::sync::Arc;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// It had nothing to do with an upload.
    Ignored,
    /// All that it told is known now.
    Done,
    /// What could be read of it is known now; the rest cannot be read.
    Partly,
    /// An object's upload may not be visible yet.
    Early,
    /// A fault is in the way.
    Failed,
    /// It was not begun: the process stops.
    Returned,
}

/// Does what a message tells, one object after the other. It is done only when each of them is:
/// the worst outcome counts.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    message: &Received,
    contents: &Contents,
) -> Verdict {
    let mut verdict = match contents.unreadable {
        Some(_) => Verdict::Partly,
        None => Verdict::Ignored,
    };
    for change in &contents.changes {
        let one = match arrived(broker, &change.bucket, &change.key).await {
            Ok(outcome) => told(outcome),
            Err(error) => {
                let (id, times) = (&message.id, message.receives);
                let cause = cause(&error);
                log::warn!("s3 events: message {id} fails, receive {times}: {error}{cause}");
                Verdict::Failed
            }
        };
        verdict = verdict.max(one);
    }
    verdict
}

fn told(outcome: Arrived) -> Verdict {
    match outcome {
        Arrived::ForeignObject => return Verdict::Ignored,
        Arrived::NotYet(id) => {
            log::debug!("s3 events: the object of upload {id} is here, its row is not");
            return Verdict::Early;
        }
        Arrived::Known => {}
        Arrived::Uploaded(id) => log::info!("s3 events: upload {id} is Uploaded"),
        Arrived::Refused(id, code) => {
            log::info!(
                "s3 events: upload {id} is not acknowledged: {}",
                code.as_str()
            );
        }
        Arrived::Drifted(id, drift) => log::info!("s3 events: the object of {id} is {drift}"),
        Arrived::Restored(id) => log::info!("s3 events: the object of {id} is back"),
    }
    Verdict::Done
}

fn cause(error: &Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map(|cause| format!(": {cause}")).unwrap_or_default()
}
