//! The body of a live stream.
//!
//! | What happens | What the client gets |
//! |---|---|
//! | the stream is opened | `retry`, and the `id` of its start, so that it can continue from there |
//! | nothing for 15 s | a comment, and the `id` that it has reached |
//! | its credential expires, is revoked, or loses its scope | the event `end` with the reason `credential`, within seconds |
//! | the process stops | the event `end` with the reason `stop`, at once |
//! | the database is replaced | the event `reset`: what happened before may be missing |
//! | the client closes the connection | nothing; its place is free at once |
//! | the client reads too slowly | nothing until it reads; then what it has missed |
//! | Postgres is unavailable | comments, and the events once it is available again |
//!
//! One chunk of at most a hundred events is in memory. The next one is made when the socket has taken
//! it.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use futures::stream;
use serde_json::json;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::wire::Event;
use crate::domain::principal::{Principal, Scope};
use crate::http::connection::Connection;
use crate::http::middleware::auth::authenticate_again;
use crate::http::problem::catalogue::Kind;
use crate::http::sse::{self, Chunk};
use crate::lifecycle::Shutdown;
use crate::lifecycle::backoff::Backoff;
use crate::usecases::Broker;
use crate::usecases::feed::{Follower, Step};

/// How often a comment is sent. Proxies close connections without traffic after a minute.
const COMMENT_INTERVAL: Duration = Duration::from_secs(15);
/// How often the credential is checked again. The result of an earlier check is remembered for three
/// seconds, so that a revoked key ends its streams within five.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// The shortest time between two checks, at the end of a credential.
const MIN_CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// How long a stream stays open while its credential cannot be checked, because Postgres or the
/// issuer does not answer.
const MAX_UNCHECKED: Duration = Duration::from_secs(60);
/// How long clients wait before they connect again: between half of it and all of it, so that those
/// of a stopped process do not come back at the same moment.
const RETRY: Backoff = Backoff::new(Duration::from_secs(3), Duration::from_secs(3));
/// The back-off while Postgres is unavailable.
const READ_BACKOFF: Backoff = Backoff::up_to(Duration::from_secs(2));

/// A live stream.
struct Live {
    follower: Follower,
    broker: web::Data<Broker>,
    /// It has the credential, and the authentication of its server.
    request: HttpRequest,
    tenant: String,
    stop: CancellationToken,
    connection: Connection,
    phase: Phase,
    comment_at: Instant,
    check_at: Instant,
    /// When the credential was checked last.
    checked: Instant,
    /// When to read again after a failure.
    read_at: Instant,
    failures: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Open,
    Ended,
}

/// Makes the response: the events of `follower`, until the credential of the request or the process
/// ends.
pub fn respond(
    follower: Follower,
    principal: &Principal,
    broker: web::Data<Broker>,
    shutdown: &Shutdown,
    request: HttpRequest,
) -> HttpResponse {
    let now = Instant::now();
    let live = Live {
        follower,
        check_at: now + time_to_check(&broker, principal),
        connection: request.conn_data().cloned().unwrap_or_default(),
        broker,
        request,
        tenant: principal.tenant.clone(),
        stop: shutdown.token(),
        phase: Phase::Opening,
        comment_at: now + COMMENT_INTERVAL,
        checked: now,
        read_at: now,
        failures: 0,
    };
    let chunks = stream::unfold(live, async |mut live| {
        let chunk = live.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(chunk)), live))
    });
    sse::respond(chunks)
}

/// How long until the credential has to be checked again: at its end, or after the usual interval.
fn time_to_check(broker: &Broker, principal: &Principal) -> Duration {
    let left = principal.bounds.ends_at.map(|end| end - broker.clock.now());
    let left = left.map(|left| left.to_std().unwrap_or_default());
    left.map_or(CHECK_INTERVAL, |left| left.min(CHECK_INTERVAL))
        .max(MIN_CHECK_INTERVAL)
}

impl Live {
    /// The next chunk; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Chunk> {
        match self.phase {
            Phase::Opening => {
                self.phase = Phase::Open;
                return Some(self.retry().position(&self.id()));
            }
            Phase::Open => {}
            Phase::Ended => return None,
        }
        while self.phase == Phase::Open {
            if self.stop.is_cancelled() {
                return Some(self.end("stop"));
            }
            let now = Instant::now();
            if now >= self.check_at
                && let Some(reason) = self.check_credential().await
            {
                return Some(self.end(reason));
            }
            if now >= self.comment_at {
                self.comment_at = now + COMMENT_INTERVAL;
                let comment = Chunk::default().comment("open");
                return Some(comment.position(&self.id()));
            }
            let step = self.step().await;
            let chunk = chunk_of(step);
            if !chunk.is_empty() {
                return Some(chunk);
            }
        }
        None
    }

    /// Reads, or waits for, the next events. Returns without any if it is time for something else.
    async fn step(&mut self) -> Step {
        let nothing = Step::Events(Vec::new());
        let is_behind = self.follower.is_behind();
        if is_behind && self.read_at <= Instant::now() {
            let read = tokio::select! {
                () = self.stop.cancelled() => return nothing,
                read = self.follower.read() => read,
            };
            return match read {
                Ok(step) => {
                    self.failures = 0;
                    step
                }
                Err(error) => {
                    self.failures += 1;
                    self.read_at = Instant::now() + READ_BACKOFF.delay(self.failures);
                    log::warn!("a live stream cannot read events, and tries again: {error}");
                    nothing
                }
            };
        }
        let mut wake = self.check_at.min(self.comment_at);
        if is_behind {
            wake = wake.min(self.read_at);
        }
        tokio::select! {
            () = self.stop.cancelled() => nothing,
            () = sleep_until(wake) => nothing,
            () = self.connection.input_ended() => {
                self.phase = Phase::Ended;
                nothing
            }
            step = self.follower.receive(), if !is_behind => step,
        }
    }

    /// Checks the credential again. Returns why the stream has to end, if it has to.
    async fn check_credential(&mut self) -> Option<&'static str> {
        let answer = tokio::select! {
            () = self.stop.cancelled() => return None,
            answer = authenticate_again(&self.request) => answer,
        };
        let now = Instant::now();
        match answer {
            Ok(principal) => {
                self.checked = now;
                self.check_at = now + time_to_check(&self.broker, &principal);
                let may_read =
                    principal.has_scope(Scope::UploadsRead) && principal.tenant == self.tenant;
                (!may_read).then_some("credential")
            }
            Err(problem) if problem.kind() == Kind::Unauthenticated => Some("credential"),
            Err(_) if now - self.checked > MAX_UNCHECKED => Some("unavailable"),
            Err(_) => {
                self.check_at = now + CHECK_INTERVAL;
                None
            }
        }
    }

    fn end(&mut self, reason: &'static str) -> Chunk {
        self.phase = Phase::Ended;
        self.broker.metrics.feed.stream_ended(reason);
        let data = json!({"reason": reason}).to_string();
        self.retry().event(&self.id(), Some("end"), &data)
    }

    fn retry(&self) -> Chunk {
        Chunk::default().retry(RETRY.delay(1))
    }

    fn id(&self) -> String {
        self.follower.cursor().encode()
    }
}

fn chunk_of(step: Step) -> Chunk {
    match step {
        Step::Events(events) => {
            let chunk = Chunk::default();
            events.into_iter().fold(chunk, |chunk, (cursor, event)| {
                let data = serde_json::to_string(&Event::from(&*event)).unwrap_or_default();
                chunk.event(&cursor.encode(), None, &data)
            })
        }
        Step::Reset(cursor) => {
            let data = json!({"reason": "restored"}).to_string();
            Chunk::default().event(&cursor.encode(), Some("reset"), &data)
        }
    }
}
