//! Pages of the feed.

use super::transactions::{current, is_known};
use crate::domain::feed::{FeedCursor, FeedEvent, FeedFilter, Position};
use crate::domain::page::{Cursor, Page};
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::store::feed;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// Returns a page of the feed of the caller's tenant, oldest first: what `limit` events after `after`
/// have in it that the filter and the caller's folder admit. Each event comes with the cursor that
/// continues after it.
pub async fn page(
    broker: &Broker,
    principal: &Principal,
    filter: &FeedFilter,
    after: Option<FeedCursor>,
    limit: u16,
) -> Result<Page<(Cursor, FeedEvent)>> {
    let mut connection = broker.connection().await?;
    let current = current(broker, &mut connection).await?;
    if !after.is_none_or(|after| is_known(&after, &current)) {
        let detail = "was made before the database was restored; start again without it";
        return Err(Refusal::field("/after", detail).into());
    }
    let cursor = |position| {
        Cursor::Feed(FeedCursor {
            cluster: current.cluster,
            position,
        })
    };
    let start = after.map_or(Position::START, |after| after.position);
    let reader = [(principal.tenant.clone(), start)];
    // One extra row shows whether there is a next page.
    let mut rows = feed::read(&mut connection, &reader, i64::from(limit) + 1).await?;
    let limit = usize::from(limit);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    let next = last.map(|(_, event)| cursor(event.position));
    let visible = rows.into_iter().map(|(_, event)| event);
    let visible = visible.filter(|event| filter.admits(&principal.jail, &event.event));
    Ok(Page {
        items: visible
            .map(|event| (cursor(event.position), event))
            .collect(),
        next,
    })
}
