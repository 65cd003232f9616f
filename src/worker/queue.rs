//! The loop that reads the queue which is subscribed to the topic.
//!
//! An event wakes the worker for one upload. It is deleted when no job of the worker's processors on
//! that upload is left to run; until then it stays invisible, or comes again. So a message that is
//! delivered twice finds nothing to do, and one whose worker dies comes to another worker. While a job
//! waits for its next attempt, its message is invisible.
//!
//! The notification of the end of a run of Textract makes its job due. Other messages are left to the
//! redrive policy of the queue.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Worker;
use super::message::{self, Event, Message};
use crate::lifecycle::backoff::Backoff;
use crate::sqs::queue::{Queue, ReceivedMessage};
use crate::usecases::Result;
use crate::usecases::jobs::claim::{self, ClaimedJob};

/// How often the visibility timeout of a message is extended within its length.
const EXTENSIONS_PER_TIMEOUT: u32 = 3;
/// When a message is delivered again whose jobs another worker runs, or that have to wait: at least, and
/// at most.
const LATER: Duration = Duration::from_secs(30);
const LATEST: Duration = Duration::from_secs(900);

/// What becomes of a message.
pub(super) enum Verdict {
    /// It is deleted.
    Done,
    /// It is delivered again after this time.
    Again(Duration),
    /// Its visibility timeout is left unchanged.
    Unreadable,
}

impl Worker {
    /// Receives messages and runs the jobs of their uploads until `stop`. Returns at once if there is
    /// no queue.
    pub(super) async fn receive_until(
        self: &Arc<Self>,
        stop: &CancellationToken,
        give_back: &CancellationToken,
    ) {
        let Some(queue) = &self.queue else {
            return;
        };
        let mut handling = JoinSet::new();
        let mut failures = 0;
        while !stop.is_cancelled() {
            // No message is taken that would only wait here for a free slot.
            let slot = tokio::select! {
                () = stop.cancelled() => break,
                slot = self.slots.acquire() => slot,
            };
            drop(slot);
            match queue.receive_until(stop).await {
                Ok(messages) => {
                    failures = 0;
                    for message in messages {
                        let (worker, queue) = (Arc::clone(self), queue.clone());
                        let (stop, give_back) = (stop.clone(), give_back.clone());
                        handling.spawn(async move {
                            worker.handle(&queue, message, &stop, &give_back).await;
                        });
                    }
                }
                Err(error) => {
                    failures += 1;
                    log::warn!("worker: {error}");
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(Backoff::default().delay(failures)) => {}
                    }
                }
            }
            while handling.try_join_next().is_some() {}
        }
        while handling.join_next().await.is_some() {}
    }

    async fn handle(
        self: &Arc<Self>,
        queue: &Queue,
        message: ReceivedMessage,
        stop: &CancellationToken,
        give_back: &CancellationToken,
    ) {
        let verdict = match message::parse(&message.body) {
            None => {
                let id = &message.id;
                log::warn!("worker: message {id} is no event and stays in the queue");
                Verdict::Unreadable
            }
            Some(Message::DetectionEnd(end)) => self.wake_job_of_run(&end, message.receives).await,
            Some(Message::Event(event)) => tokio::select! {
                verdict = self.run_jobs_of(&event, &message, stop, give_back) => verdict,
                never = extend_visibility(queue, &message.handle) => match never {},
            },
        };
        let handle = &*message.handle;
        let changed = match verdict {
            Verdict::Done => queue.delete(&[handle]).await,
            Verdict::Again(delay) => queue.change_visibility(&[(handle, delay)]).await,
            Verdict::Unreadable => Ok(()),
        };
        if let Err(error) = changed {
            log::warn!("worker: {error}");
        }
    }

    /// Runs the jobs of the upload of an event.
    async fn run_jobs_of(
        self: &Arc<Self>,
        event: &Event,
        message: &ReceivedMessage,
        stop: &CancellationToken,
        give_back: &CancellationToken,
    ) -> Verdict {
        let slot = tokio::select! {
            biased;
            () = stop.cancelled() => return Verdict::Again(Duration::ZERO),
            slot = Arc::clone(&self.slots).acquire_owned() => slot,
        };
        let ran = self.run_claimed(event, give_back).await;
        drop(slot);
        match ran {
            Ok(None) => Verdict::Done,
            // The jobs were given back, and another worker can take them at once.
            Ok(Some(_)) if give_back.is_cancelled() => Verdict::Again(Duration::ZERO),
            Ok(Some(wait)) => Verdict::Again(wait.clamp(LATER, LATEST)),
            Err(error) => {
                log::warn!("worker: message {}: {error}", message.id);
                Verdict::Again(Backoff::default().delay(message.receives))
            }
        }
    }

    /// Runs the jobs that can be claimed. Returns how long until one is due that is left to run; `None` if
    /// there is none.
    async fn run_claimed(
        self: &Arc<Self>,
        event: &Event,
        give_back: &CancellationToken,
    ) -> Result<Option<Duration>> {
        let upload = event.data.upload_id;
        for processor in &self.processors {
            let claimed = claim::claim_of_upload(
                &self.broker,
                &event.tenant,
                upload,
                processor.name,
                self.lease,
            );
            if let Some(ClaimedJob { job, upload }) = claimed.await? {
                self.run_job(job, upload, give_back).await;
            }
        }
        let names: Vec<&str> = self.processors.iter().map(|one| one.name).collect();
        claim::time_until_due(&self.broker, &event.tenant, upload, &names).await
    }
}

/// Extends the visibility timeout of a message repeatedly. It never returns.
async fn extend_visibility(queue: &Queue, handle: &str) -> Infallible {
    let timeout = queue.timing.visibility_timeout;
    loop {
        tokio::time::sleep(timeout / EXTENSIONS_PER_TIMEOUT).await;
        if let Err(error) = queue.change_visibility(&[(handle, timeout)]).await {
            log::warn!("worker: {error}");
        }
    }
}
