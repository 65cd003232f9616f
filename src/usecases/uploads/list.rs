//! Lists uploads, newest first. Uploads that are created meanwhile do not shift the pages.

use uuid::Uuid;

use crate::domain::page::{Cursor, Page};
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The filter and the page of a list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The permitted statuses; any status if the list is empty.
    pub statuses: Vec<Status>,
    /// The start of the paths, with or without the leading slash.
    pub prefix: Option<String>,
    /// The exact path, with or without the leading slash.
    pub path: Option<String>,
    /// The upload that the uploads were derived from.
    pub derived_from: Option<Uuid>,
    /// The number of entries in a page, 1 to 1,000.
    pub limit: u16,
    /// The position where the last page ended.
    pub cursor: Option<Cursor>,
}

/// Returns one page of the tenant's uploads.
pub async fn list(broker: &Broker, principal: &Principal, filter: Filter) -> Result<Page<Upload>> {
    let before = match filter.cursor {
        None => None,
        Some(Cursor::Upload(id)) => Some(id),
        Some(_) => {
            return Err(Refusal::field("/cursor", "belongs to another list").into());
        }
    };
    let rows = uploads::Filter {
        statuses: filter.statuses,
        prefix: with_slash("/prefix", filter.prefix)?,
        path: with_slash("/path", filter.path)?,
        derived_from: filter.derived_from,
        within: (principal.jail.folder()).map(|within| within.as_str().to_owned()),
        before,
    };
    let mut connection = broker.connection().await?;
    // One extra row shows whether there is a next page.
    let wanted = i64::from(filter.limit) + 1;
    let mut items = uploads::list(&mut connection, &principal.tenant, &rows, wanted).await?;
    let limit = usize::from(filter.limit);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| Cursor::Upload(last.id));
    Ok(Page { items, next })
}

pub(in crate::usecases) fn with_slash(
    pointer: &str,
    text: Option<String>,
) -> Result<Option<String>> {
    let Some(text) = text else {
        return Ok(None);
    };
    if text.chars().any(char::is_control) {
        return Err(Refusal::field(pointer, "has a control character").into());
    }
    Ok(Some(if text.starts_with('/') {
        text
    } else {
        format!("/{text}")
    }))
}
