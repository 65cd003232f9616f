//! A look at a connection from the side: does Postgres answer, and did it ever complain?
//!
//! Postgres ends statements that take too long by itself, but a server that hangs, or a proxy that
//! swallows what it is sent, does not. So the task that drives a connection also looks at a clock:
//! where nothing has come of a connection's last query in a bounded time, it ends the connection,
//! and whoever waits for the answer gets an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::InstrumentationEvent;
use futures::future::{Either, poll_fn, select};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::MissedTickBehavior;
use tokio_postgres::Connection;
use tokio_postgres::tls::TlsStream;

/// The clock of one connection. Queries wind it; [`idle`](Self::idle) stops it.
#[derive(Debug)]
pub(super) struct Watchdog {
    start: Instant,
    /// How long an answer may take; nothing: for ever.
    patience: Option<Duration>,
    /// When the last query began, in milliseconds since `start` and one more; 0: none is open.
    asked: AtomicU64,
    doubted: AtomicBool,
}

impl Watchdog {
    pub(super) fn new(patience: Option<Duration>) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            patience,
            asked: AtomicU64::new(0),
            doubted: AtomicBool::new(false),
        })
    }

    /// Diesel tells of what happens on the connection. An error or a rollback is a reason to doubt
    /// that the server still takes writes: errors of rows that are streamed show only as the
    /// latter.
    pub(super) fn notice(&self, event: &InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => {
                let now = self.now().saturating_add(1);
                self.asked.store(now, Ordering::Relaxed);
            }
            InstrumentationEvent::FinishQuery { error: Some(_), .. }
            | InstrumentationEvent::RollbackTransaction { .. } => {
                self.doubted.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Nobody waits for an answer any more.
    pub(super) fn idle(&self) {
        self.asked.store(0, Ordering::Relaxed);
    }

    /// Whether there was reason for doubt since this was asked last.
    pub(super) fn is_doubted(&self) -> bool {
        self.doubted.swap(false, Ordering::Relaxed)
    }

    /// Drives the connection until it ends, or hangs.
    pub(super) async fn drive<S, T>(self: Arc<Self>, mut connection: Connection<S, T>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
        T: TlsStream + Unpin,
    {
        let mut messages = std::pin::pin!(async move {
            // What comes unasked is of no interest; the last one tells why it ended.
            while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                message?;
            }
            Ok::<(), tokio_postgres::Error>(())
        });
        let Some(patience) = self.patience else {
            let _ = messages.await;
            return;
        };
        let mut looks = tokio::time::interval(patience.min(Duration::from_secs(4)) / 4);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let look = std::pin::pin!(looks.tick());
            match select(messages, look).await {
                Either::Left((Ok(()), _)) => return,
                Either::Left((Err(cause), _)) => {
                    log::warn!("a connection to Postgres broke: {cause}");
                    return;
                }
                Either::Right((_, rest)) => messages = rest,
            }
            if self.waits_longer_than(patience) {
                log::warn!("Postgres has not answered for {patience:?}: the connection is ended");
                return;
            }
        }
    }

    fn waits_longer_than(&self, patience: Duration) -> bool {
        match self.asked.load(Ordering::Relaxed) {
            0 => false,
            asked => u128::from(self.now().saturating_sub(asked)) > patience.as_millis(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
