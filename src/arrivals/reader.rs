//! The loop that reads the queue.
//!
//! A round receives messages, processes a few at the same time, then deletes those that are done and
//! postpones the others. Messages that are being processed stay invisible to other readers for as long
//! as that takes. After a round in which every message failed, or if SQS does not respond, the loop
//! waits for an increasing back-off, so that messages stay in the queue meanwhile.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::handle::{Verdict, handle};
use super::message::{self, ParsedMessage, Unreadable};
use super::round::Round;
use crate::lifecycle::backoff::Backoff;
use crate::sqs::queue::{Queue, QueueError, ReceivedMessage};
use crate::usecases::Broker;
use crate::usecases::context::QueueState;

/// The number of concurrent loops in this process: while a slow object delays one, the other continues.
const CONCURRENT_LOOPS: usize = 2;
/// The number of messages that one loop processes at the same time. All loops together leave most of
/// the connections to Postgres to requests.
const CONCURRENT_MESSAGES: usize = 4;
/// How often the visibility timeout of a message is extended within its length. With three extensions,
/// two consecutive failures do no harm.
const EXTENSIONS_PER_TIMEOUT: u32 = 3;

/// The reader of the queue and its dependencies.
pub struct Reader {
    /// The queue that receives the event notifications of S3.
    pub queue: Queue,
    /// The use cases that process the objects.
    pub broker: Arc<Broker>,
}

/// A message and its parsed body.
type Work = (ReceivedMessage, ParsedMessage);

impl Reader {
    /// Reads until `stop`. Messages whose processing has started are finished; the others are returned
    /// to the queue.
    pub async fn run(self, stop: CancellationToken) {
        self.broker.s3_events.set(QueueState::Starting);
        let loops = (0..CONCURRENT_LOOPS).map(|_| self.read_until(&stop));
        futures::future::join_all(loops).await;
    }

    async fn read_until(&self, stop: &CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            match self.run_once(stop).await {
                Ok(round) if round.failed == 0 || round.done > 0 => failures = 0,
                Ok(_) => failures += 1,
                Err(error) => {
                    failures += 1;
                    self.broker.s3_events.set(QueueState::Unavailable);
                    log::warn!("s3 events: {error}");
                }
            }
            if failures > 0 {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(Backoff::default().delay(failures)) => {}
                }
            }
        }
    }

    /// Runs one round: receives up to ten messages and processes them. Returns an empty round if no
    /// message arrived within the wait time.
    ///
    /// # Errors
    /// A call to SQS failed.
    pub async fn run_once(&self, stop: &CancellationToken) -> Result<Round, QueueError> {
        let messages = self.queue.receive_until(stop).await?;
        if messages.is_empty() && stop.is_cancelled() {
            return Ok(Round::default());
        }
        self.broker.s3_events.set(QueueState::Ok);
        self.record_received(&messages);
        let mut round = Round {
            received: count(messages.len()),
            ..Round::default()
        };
        let (readable, unreadable) = parse_all(messages);
        round.unreadable = unreadable;
        let handles: Vec<_> = readable.iter().map(|(one, _)| one.handle.clone()).collect();
        let handled = tokio::select! {
            handled = self.handle_all(readable, stop) => handled,
            never = self.extend_visibility(&handles) => match never {},
        };
        self.finish(&handled, &mut round).await?;
        Ok(round)
    }

    async fn handle_all(
        &self,
        work: Vec<Work>,
        stop: &CancellationToken,
    ) -> Vec<(ReceivedMessage, Verdict)> {
        let handled = futures::stream::iter(work).map(async |(message, parsed)| {
            let verdict = if stop.is_cancelled() {
                Verdict::NotStarted
            } else {
                handle(&self.broker, &message, &parsed).await
            };
            (message, verdict)
        });
        handled
            .buffer_unordered(CONCURRENT_MESSAGES)
            .collect()
            .await
    }

    /// Extends the visibility timeout of the messages repeatedly. It never returns.
    async fn extend_visibility(&self, handles: &[String]) -> Infallible {
        let timeout = self.queue.timing.visibility_timeout;
        let all: Vec<_> = (handles.iter())
            .map(|handle| (&**handle, timeout))
            .collect();
        loop {
            tokio::time::sleep(timeout / EXTENSIONS_PER_TIMEOUT).await;
            if let Err(error) = self.queue.change_visibility(&all).await {
                log::warn!("s3 events: {error}");
            }
        }
    }

    /// Deletes the messages that are done, postpones the others, and counts both.
    async fn finish(
        &self,
        handled: &[(ReceivedMessage, Verdict)],
        round: &mut Round,
    ) -> Result<(), QueueError> {
        let timing = self.queue.timing;
        let mut done = Vec::new();
        let mut postponed = Vec::new();
        for (message, verdict) in handled {
            let handle = &*message.handle;
            match verdict {
                Verdict::Done | Verdict::Ignored => done.push(handle),
                // Its visibility timeout is left unchanged, as that of messages that cannot be parsed.
                Verdict::PartlyUnreadable => {}
                Verdict::RowNotVisible => {
                    postponed.push((handle, timing.delay_without_row(message.receives)));
                }
                Verdict::Failed => {
                    postponed.push((handle, timing.delay_after_failure(message.receives)));
                }
                Verdict::NotStarted => postponed.push((handle, Duration::ZERO)),
            }
            round.count(*verdict);
        }
        for (outcome, messages) in round.outcomes() {
            self.broker.metrics.s3_events.handled(outcome, messages);
        }
        // Both calls are made, even if one of them fails.
        let (deleted, changed) = tokio::join!(
            self.queue.delete(&done),
            self.queue.change_visibility(&postponed)
        );
        deleted.and(changed)
    }

    fn record_received(&self, messages: &[ReceivedMessage]) {
        let now = self.broker.clock.now();
        let sent = messages.iter().filter_map(|message| message.sent_at);
        let oldest = sent
            .min()
            .map(|sent| (now - sent).to_std().unwrap_or_default());
        let metrics = &self.broker.metrics.s3_events;
        metrics.received(count(messages.len()), oldest.unwrap_or_default());
    }
}

/// Parses messages. Returns those of which at least a part can be parsed, and the number of the others.
/// The visibility timeout of the others is left unchanged, so they become visible again until the
/// redrive policy of the queue removes them.
fn parse_all(messages: Vec<ReceivedMessage>) -> (Vec<Work>, u64) {
    let mut readable = Vec::new();
    let mut unreadable = 0;
    for message in messages {
        match message::read(&message.body) {
            Ok(parsed) => {
                if let Some(reason) = parsed.unreadable {
                    log_unreadable(&message, "a record of message", reason);
                }
                readable.push((message, parsed));
            }
            Err(reason) => {
                unreadable += 1;
                log_unreadable(&message, "message", reason);
            }
        }
    }
    (readable, unreadable)
}

/// Logs a message that cannot be parsed: a warning at its first receive only. The body is not logged,
/// because it may contain anything.
fn log_unreadable(message: &ReceivedMessage, what: &str, reason: Unreadable) {
    let level = if message.receives > 1 {
        log::Level::Debug
    } else {
        log::Level::Warn
    };
    let id = &message.id;
    log::log!(
        level,
        "s3 events: {what} {id} cannot be parsed and stays in the queue: {reason}"
    );
}

fn count(messages: usize) -> u64 {
    u64::try_from(messages).unwrap_or(u64::MAX)
}
