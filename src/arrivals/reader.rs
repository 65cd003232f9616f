//! The loop that reads the queue.
//!
//! Receive, handle a few at once, then delete what is done and put off what is not. Whatever is at
//! hand stays hidden from other readers for as long as it takes. A round of which nothing could be
//! done, or a queue that does not answer, makes the loop wait longer each time: messages keep
//! better in the queue than on the way.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::handle::{Verdict, handle};
use super::message::{self, Contents, Unreadable};
use super::queue::{Queue, QueueError, Received};
use super::round::Round;
use crate::lifecycle::backoff::Backoff;
use crate::usecases::Broker;
use crate::usecases::context::QueueState;

/// Readers in this process: while a slow object holds one up, the other goes on.
const LANES: usize = 2;
/// Messages that a reader handles at once. All readers together leave most of the connections to
/// Postgres to requests.
const AT_ONCE: usize = 4;
/// How often in its time a message is hidden anew: two failures in a row do no harm.
const EXTENSIONS: u32 = 3;

/// The loop and what it works with.
pub struct Reader {
    /// Where events come from.
    pub queue: Queue,
    /// What acknowledges.
    pub broker: Arc<Broker>,
}

/// A message with what it says.
type Work = (Received, Contents);

impl Reader {
    /// Reads until `stop`; what is at hand is finished, the rest is given back.
    pub async fn run(self, stop: CancellationToken) {
        self.broker.s3_events.set(QueueState::Starting);
        let lanes = (0..LANES).map(|_| self.lane(&stop));
        futures::future::join_all(lanes).await;
    }

    async fn lane(&self, stop: &CancellationToken) {
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

    /// One round: up to ten messages, or none after the queue's poll.
    pub async fn run_once(&self, stop: &CancellationToken) -> Result<Round, QueueError> {
        let messages = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Round::default()),
            messages = self.queue.receive() => messages?,
        };
        self.broker.s3_events.set(QueueState::Ok);
        self.note_received(&messages);
        let mut round = Round {
            received: count(messages.len()),
            ..Round::default()
        };
        let (readable, unreadable) = sort(messages);
        round.unreadable = unreadable;
        let handles: Vec<_> = readable.iter().map(|(one, _)| one.handle.clone()).collect();
        let settled = tokio::select! {
            settled = self.handle_all(readable, stop) => settled,
            never = self.keep_hidden(&handles) => match never {},
        };
        self.settle(&settled, &mut round).await?;
        Ok(round)
    }

    async fn handle_all(
        &self,
        work: Vec<Work>,
        stop: &CancellationToken,
    ) -> Vec<(Received, Verdict)> {
        let handled = futures::stream::iter(work).map(async |(message, contents)| {
            let verdict = if stop.is_cancelled() {
                Verdict::Returned
            } else {
                handle(&self.broker, &message, &contents).await
            };
            (message, verdict)
        });
        handled.buffer_unordered(AT_ONCE).collect().await
    }

    /// Extends the time of what is at hand, for ever.
    async fn keep_hidden(&self, handles: &[String]) -> Infallible {
        let visibility = self.queue.pace.visibility;
        let all: Vec<_> = (handles.iter())
            .map(|handle| (&**handle, visibility))
            .collect();
        loop {
            tokio::time::sleep(visibility / EXTENSIONS).await;
            if let Err(error) = self.queue.hide(&all).await {
                log::warn!("s3 events: {error}");
            }
        }
    }

    /// Deletes what is done, puts off what is not, and counts both.
    async fn settle(
        &self,
        settled: &[(Received, Verdict)],
        round: &mut Round,
    ) -> Result<(), QueueError> {
        let mut done = Vec::new();
        let mut put_off = Vec::new();
        for (message, verdict) in settled {
            let handle = &*message.handle;
            match verdict {
                Verdict::Done | Verdict::Ignored => done.push(handle),
                // It keeps the time that it has, and goes where those go that cannot be read.
                Verdict::Partly => {}
                Verdict::Early => {
                    put_off.push((handle, self.queue.pace.early_again(message.receives)))
                }
                Verdict::Failed => put_off.push((handle, self.queue.pace.later(message.receives))),
                Verdict::Returned => put_off.push((handle, Duration::ZERO)),
            }
            round.count(*verdict);
        }
        for (outcome, messages) in round.outcomes() {
            self.broker.metrics.s3_events.handled(outcome, messages);
        }
        // Neither waits for the other's success.
        let (deleted, hidden) = tokio::join!(self.queue.delete(&done), self.queue.hide(&put_off));
        deleted.and(hidden)
    }

    fn note_received(&self, messages: &[Received]) {
        let now = self.broker.clock.now();
        let sent = messages.iter().filter_map(|message| message.sent_at);
        let oldest = sent
            .min()
            .map(|sent| (now - sent).to_std().unwrap_or_default());
        let metrics = &self.broker.metrics.s3_events;
        metrics.received(count(messages.len()), oldest.unwrap_or_default());
    }
}

/// The messages of which something can be read, and how many are not among them. Those keep the time that they have, and come back
/// until the queue's redrive policy takes them away.
fn sort(messages: Vec<Received>) -> (Vec<Work>, u64) {
    let mut readable = Vec::new();
    let mut unreadable = 0;
    for message in messages {
        match message::read(&message.body) {
            Ok(contents) => {
                if let Some(reason) = contents.unreadable {
                    warn_of(&message, "a record of", reason);
                }
                readable.push((message, contents));
            }
            Err(reason) => {
                unreadable += 1;
                warn_of(&message, "all of", reason);
            }
        }
    }
    (readable, unreadable)
}

/// Once a message; the body may hold anything, and stays out of the log.
fn warn_of(message: &Received, what: &str, reason: Unreadable) {
    let level = if message.receives > 1 {
        log::Level::Debug
    } else {
        log::Level::Warn
    };
    let id = &message.id;
    log::log!(
        level,
        "s3 events: {what} message {id} is left to the queue: {reason}"
    );
}

fn count(messages: usize) -> u64 {
    u64::try_from(messages).unwrap_or(u64::MAX)
}
