//! A watchdog for each connection: it ends a connection whose server does not answer, and records
//! whether there were errors.
//!
//! Postgres itself ends statements that take too long, but a server that hangs, or a proxy that
//! drops what it is sent, does not. So the task that drives a connection also checks a clock: if
//! the last query has had no answer within a limit, it ends the connection, and the caller that
//! waits for the answer gets an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::InstrumentationEvent;
use futures::future::{Either, poll_fn, select};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::MissedTickBehavior;
use tokio_postgres::Connection;
use tokio_postgres::tls::TlsStream;

/// The watchdog of one connection. A query starts its clock, and
/// [`query_finished`](Self::query_finished) stops it.
#[derive(Debug)]
pub(super) struct Watchdog {
    start: Instant,
    /// How long an answer may take; `None` for no limit.
    timeout: Option<Duration>,
    /// When the last query started, in milliseconds since `start`, plus one; 0 if no query is
    /// running.
    query_started: AtomicU64,
    had_error: AtomicBool,
}

impl Watchdog {
    pub(super) fn new(timeout: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            timeout,
            query_started: AtomicU64::new(0),
            had_error: AtomicBool::new(false),
        })
    }

    /// Handles an event that Diesel reports for the connection. An error or a rollback is a reason
    /// to check that the server still accepts writes. An error in streamed rows shows only as a
    /// rollback.
    pub(super) fn on_event(&self, event: &InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => {
                let now = self.now().saturating_add(1);
                self.query_started.store(now, Ordering::Relaxed);
            }
            InstrumentationEvent::FinishQuery { error: Some(_), .. }
            | InstrumentationEvent::RollbackTransaction { .. } => {
                self.had_error.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Stops the clock: no caller waits for an answer any more.
    pub(super) fn query_finished(&self) {
        self.query_started.store(0, Ordering::Relaxed);
    }

    /// Returns whether there was an error since the last call, and resets that.
    pub(super) fn take_error(&self) -> bool {
        self.had_error.swap(false, Ordering::Relaxed)
    }

    /// Drives the connection until it ends or hangs.
    pub(super) async fn drive<S, T>(self: Arc<Self>, mut connection: Connection<S, T>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        T: TlsStream + Unpin,
    {
        let mut messages = std::pin::pin!(async move {
            // Unsolicited messages are ignored; an error says why the connection ended.
            while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                message?;
            }
            Ok::<(), tokio_postgres::Error>(())
        });
        let Some(timeout) = self.timeout else {
            let _ = messages.await;
            return;
        };
        let mut checks = tokio::time::interval(timeout.min(Duration::from_secs(4)) / 4);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let check = std::pin::pin!(checks.tick());
            match select(messages, check).await {
                Either::Left((Ok(()), _)) => return,
                Either::Left((Err(cause), _)) => {
                    log::warn!("a connection to Postgres broke: {cause}");
                    return;
                }
                Either::Right((_, rest)) => messages = rest,
            }
            if self.has_waited_longer_than(timeout) {
                log::warn!("Postgres has not answered for {timeout:?}; closing the connection");
                return;
            }
        }
    }

    fn has_waited_longer_than(&self, timeout: Duration) -> bool {
        match self.query_started.load(Ordering::Relaxed) {
            0 => false,
            started => u128::from(self.now().saturating_sub(started)) > timeout.as_millis(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
