//! Lists jobs.

use uuid::Uuid;

use crate::domain::job::{Job, JobStatus};
use crate::domain::page::{Cursor, Page};
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::store::jobs;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::find;

/// The filter and the page of a list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only jobs with this status.
    pub status: Option<JobStatus>,
    /// Only jobs of this processor.
    pub processor: Option<String>,
    /// The number of entries in a page, 1 to 1,000.
    pub limit: u16,
    /// The position where the last page ended.
    pub cursor: Option<Cursor>,
}

/// Returns one page of the tenant's jobs, newest first.
pub async fn list(broker: &Broker, principal: &Principal, filter: Filter) -> Result<Page<Job>> {
    let before = match filter.cursor {
        None => None,
        Some(Cursor::Job(id)) => Some(id),
        Some(_) => return Err(Refusal::field("/cursor", "belongs to another list").into()),
    };
    let rows = jobs::Filter {
        status: filter.status,
        processor: filter.processor,
        within: (principal.jail.folder()).map(|within| within.as_str().to_owned()),
        before,
    };
    let mut connection = broker.connection().await?;
    // One extra row shows whether there is a next page.
    let wanted = i64::from(filter.limit) + 1;
    let mut items = jobs::list(&mut connection, &principal.tenant, &rows, wanted).await?;
    let limit = usize::from(filter.limit);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| Cursor::Job(last.id));
    Ok(Page { items, next })
}

/// Returns all jobs of an upload, oldest first.
pub async fn of_upload(broker: &Broker, principal: &Principal, id: Uuid) -> Result<Vec<Job>> {
    let mut connection = broker.connection().await?;
    find::by_id(&mut connection, principal, id).await?;
    Ok(jobs::find_of_upload(&mut connection, id).await?)
}
