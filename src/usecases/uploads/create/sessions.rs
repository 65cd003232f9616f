//! The sessions of a request, from its rows and its URLs.

use std::collections::HashMap;

use uuid::Uuid;

use super::Created;
use super::idempotency::Reserved;
use super::steps::{Entry, Written};
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::read;
use crate::usecases::uploads::session::Session;

/// A session for each entry, or why it has none; nothing for an entry that could not be read. Fails
/// as a whole where Postgres wrote none of the rows because it is not available.
pub(super) async fn of(
    broker: &Broker,
    principal: &Principal,
    mut written: Written,
) -> Result<Vec<Option<Result<Created>>>> {
    let is_unavailable = |row: &Result<Reserved>| {
        matches!(row, Err(Error::Unavailable { .. } | Error::Overloaded(_)))
    };
    if written.rows.iter().all(is_unavailable)
        && let Some(Err(fault)) = written.rows.pop()
    {
        return Err(fault);
    }
    let mut earlier = read_earlier(broker, principal, earlier_ids(&written)).await?;
    let mut earlier = |id| {
        let session = earlier.remove(&id);
        let session = session.unwrap_or_else(|| Err(Refusal::no_upload(id).into()));
        session.map(Created::Before)
    };
    let mut rows = written.rows.into_iter();
    let mut created = Vec::with_capacity(written.entries.len());
    for entry in written.entries {
        created.push(match entry {
            Entry::Unread => None,
            Entry::Refused(refusal) => Some(Err(Error::Refused(refusal))),
            Entry::Earlier(id) => Some(earlier(id)),
            Entry::Presigned(urls) => Some(match rows.next() {
                Some(Ok(Reserved::Written(upload))) => {
                    let (upload, urls) = (*upload, Some(urls));
                    Ok(Created::New(Session { upload, urls }))
                }
                Some(Ok(Reserved::Earlier(id))) => earlier(id),
                Some(Err(error)) => Err(error),
                None => Err(Error::Internal("a row has no result".into())),
            }),
        });
    }
    Ok(created)
}

/// The sessions that an earlier request made, read in one query.
async fn read_earlier(
    broker: &Broker,
    principal: &Principal,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, Result<Session>>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sessions = read::read_many(broker, principal, &ids, true).await?;
    Ok(ids.into_iter().zip(sessions).collect())
}

fn earlier_ids(written: &Written) -> Vec<Uuid> {
    let known = written.entries.iter().filter_map(|entry| match entry {
        Entry::Earlier(id) => Some(*id),
        _ => None,
    });
    let found = written.rows.iter().filter_map(|row| match row {
        Ok(Reserved::Earlier(id)) => Some(*id),
        _ => None,
    });
    known.chain(found).collect()
}
