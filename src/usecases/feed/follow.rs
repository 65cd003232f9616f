//! Follows the feed of a tenant, or the history of one upload: first what happened before, page by
//! page from Postgres, then what the loop of the feed sends.
//!
//! A follower subscribes before it reads its first page. A page that is not full has everything that
//! was sent until the subscription, because what may be read only grows. So nothing is missing
//! between the pages and the messages; what is in both is recognized by its position.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

use super::transactions::{current, is_known};
use crate::domain::event::Event;
use crate::domain::feed::{FeedCursor, FeedEvent, FeedFilter, Position};
use crate::domain::jail::Jail;
use crate::domain::page::Cursor;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::store::{events, feed};
use crate::usecases::context::{Broker, FeedMessage, StreamLimit, Subscription};
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::find;

/// The number of events of a page.
const PAGE: i64 = 100;
/// When a client without a place for its stream should try again, in seconds.
const RETRY_SECONDS: u16 = 10;

/// What a follower has got.
#[derive(Debug)]
pub enum Step {
    /// Events in order, each with the cursor that continues after it. May be empty.
    Events(Vec<(Cursor, Arc<Event>)>),
    /// The order of events was replaced. The follower continues at this cursor, with what happens
    /// from now on.
    Reset(Cursor),
}

/// A live stream of events. It holds a place among the streams of its tenant until it is dropped.
pub struct Follower {
    broker: Arc<Broker>,
    tenant: String,
    subscription: Subscription,
    source: Source,
    /// Whether there may be events that no message will bring.
    is_behind: bool,
    /// Whether the cursor of the caller is from an order of events that was replaced.
    is_reset: bool,
}

/// Which events are followed.
enum Source {
    /// Those of the tenant.
    Tenant {
        cursor: FeedCursor,
        filter: FeedFilter,
        jail: Jail,
    },
    /// Those of one upload after a sequence number.
    Upload { id: Uuid, sequence: i32 },
}

/// Follows the events of the caller's tenant that the filter and the caller's folder admit: those
/// after `after`, or those that are committed from now on.
///
/// # Errors
/// `too-many-streams` if the tenant has no place for a stream, [`Error::Busy`] if this process has
/// none.
pub async fn follow(
    broker: Arc<Broker>,
    principal: &Principal,
    filter: FeedFilter,
    after: Option<FeedCursor>,
) -> Result<Follower> {
    let mut connection = broker.connection().await?;
    let current = current(&broker, &mut connection).await?;
    drop(connection);
    let now = Position::before(current.oldest);
    let known = after.filter(|after| is_known(after, &current));
    let cursor = known.unwrap_or(FeedCursor {
        cluster: current.cluster,
        position: now,
    });
    let source = Source::Tenant {
        cursor,
        filter,
        jail: principal.jail.clone(),
    };
    let is_reset = after.is_some() && known.is_none();
    open(broker, principal, now, source, is_reset)
}

/// Follows the history of an upload that the caller may see, after a sequence number.
///
/// # Errors
/// `upload-not-found`, and those of [`follow`].
pub async fn follow_upload(
    broker: Arc<Broker>,
    principal: &Principal,
    id: Uuid,
    sequence: i32,
) -> Result<Follower> {
    let mut connection = broker.connection().await?;
    find::by_id(&mut connection, principal, id).await?;
    let current = current(&broker, &mut connection).await?;
    drop(connection);
    let source = Source::Upload { id, sequence };
    open(
        broker,
        principal,
        Position::before(current.oldest),
        source,
        false,
    )
}

fn open(
    broker: Arc<Broker>,
    principal: &Principal,
    now: Position,
    source: Source,
    is_reset: bool,
) -> Result<Follower> {
    let subscription = broker.feed.open(&principal.tenant, now);
    Ok(Follower {
        subscription: subscription.map_err(no_place)?,
        tenant: principal.tenant.clone(),
        broker,
        source,
        is_behind: true,
        is_reset,
    })
}

fn no_place(limit: StreamLimit) -> Error {
    match limit {
        StreamLimit::Total(most) => Error::Busy(format!(
            "The {most} places for live streams of this process are in use"
        )),
        StreamLimit::PerTenant(most) => Refusal {
            retry_after: Some(RETRY_SECONDS),
            ..Refusal::new(
                Code::TooManyStreams,
                format!(
                    "The tenant has {most} live streams open, which is the limit; close one, or try again in {RETRY_SECONDS} s."
                ),
            )
        }
        .into(),
    }
}

impl Follower {
    /// The cursor that continues after everything that this stream has had.
    pub fn cursor(&self) -> Cursor {
        self.source.cursor()
    }

    /// Whether [`read`](Self::read) has to be called before [`receive`](Self::receive).
    pub fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Reads the next page from Postgres.
    ///
    /// # Errors
    /// Postgres is unavailable. The stream is unchanged.
    pub async fn read(&mut self) -> Result<Step> {
        if std::mem::take(&mut self.is_reset) {
            return Ok(Step::Reset(self.cursor()));
        }
        let _permit = self.broker.connections.permit(&self.tenant).await?;
        let mut connection = self.broker.connection().await?;
        let (read, events) = match &mut self.source {
            Source::Tenant { cursor, .. } => {
                let reader = [(self.tenant.clone(), cursor.position)];
                let rows = feed::read(&mut connection, &reader, PAGE).await?;
                let rows: Vec<FeedEvent> = rows.into_iter().map(|(_, event)| event).collect();
                (rows.len(), self.source.advance(&rows))
            }
            Source::Upload { id, sequence } => {
                let (tenant, after) = (&self.tenant, *sequence);
                let rows = events::history_after(&mut connection, tenant, *id, after, PAGE).await?;
                let read = rows.len();
                (read, self.source.advance_history(rows))
            }
        };
        self.is_behind = i64::try_from(read).is_ok_and(|read| read >= PAGE);
        Ok(Step::Events(events))
    }

    /// Waits for the next message. Safe to cancel.
    pub async fn receive(&mut self) -> Step {
        let message = self.subscription.messages.recv().await;
        match (message, &mut self.source) {
            (Ok(FeedMessage::Events(events)), Source::Tenant { .. }) => {
                return Step::Events(self.source.advance(&events));
            }
            (Ok(FeedMessage::Events(events)), Source::Upload { id, sequence }) => {
                // The order of the feed is not always the one of the history: it is read again.
                let is_new = |event: &FeedEvent| {
                    event.event.upload_id == *id && event.event.sequence > *sequence
                };
                self.is_behind = events.iter().any(is_new);
            }
            (Ok(FeedMessage::Reset(reset)), Source::Tenant { cursor, .. }) => {
                *cursor = reset;
                self.is_behind = true;
                return Step::Reset(self.source.cursor());
            }
            // Of a stream that is open, the channel is not closed.
            (Ok(FeedMessage::Reset(_)), Source::Upload { .. })
            | (Err(RecvError::Lagged(_) | RecvError::Closed), _) => self.is_behind = true,
        }
        Step::Events(Vec::new())
    }
}

impl Source {
    fn cursor(&self) -> Cursor {
        match self {
            Self::Tenant { cursor, .. } => Cursor::Feed(*cursor),
            Self::Upload { id, sequence } => Cursor::History {
                upload: *id,
                sequence: *sequence,
            },
        }
    }

    /// Moves on to the end of `events`, and returns those that are new and admitted.
    fn advance(&mut self, events: &[FeedEvent]) -> Vec<(Cursor, Arc<Event>)> {
        let Self::Tenant {
            cursor,
            filter,
            jail,
        } = self
        else {
            return Vec::new();
        };
        let mut admitted = Vec::new();
        for FeedEvent { position, event } in events {
            if *position <= cursor.position {
                continue;
            }
            cursor.position = *position;
            if filter.admits(jail, event) {
                admitted.push((Cursor::Feed(*cursor), Arc::clone(event)));
            }
        }
        admitted
    }

    fn advance_history(&mut self, events: Vec<Event>) -> Vec<(Cursor, Arc<Event>)> {
        let mut all = Vec::with_capacity(events.len());
        for event in events {
            if let Self::Upload { sequence, .. } = self {
                *sequence = event.sequence;
            }
            all.push((self.cursor(), Arc::new(event)));
        }
        all
    }
}
