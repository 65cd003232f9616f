//! Reads the audit: a tenant reads its own rows, newest first; operators read all rows, oldest
//! first.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::audit::{Action, Record};
use crate::domain::page::{Cursor, LIMITS, Page};
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::store::audit::{self, Start, Tenants};
use crate::store::{self, Connection};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::list::with_slash;

/// The filter of audit rows. A `None` does not restrict them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The permitted actions; any action if the list is empty.
    pub actions: Vec<Action>,
    /// The start of the paths, with or without the leading slash.
    pub prefix: Option<String>,
    /// The start of the time range, inclusive.
    pub since: Option<DateTime<Utc>>,
    /// The end of the time range, exclusive.
    pub until: Option<DateTime<Utc>>,
}

/// Returns one page of the tenant's rows, newest first: `limit` of them, from where the last page
/// ended. A caller that is confined to a folder gets the rows of paths in it.
pub async fn list(
    broker: &Broker,
    principal: &Principal,
    filter: &Filter,
    limit: u16,
    cursor: Option<&Cursor>,
) -> Result<Page<Record>> {
    let before = match cursor {
        None => None,
        Some(Cursor::Audit(id)) => Some(*id),
        Some(_) => return Err(Refusal::field("/cursor", "belongs to another list").into()),
    };
    let mut rows = filter.rows()?;
    // A confined caller does not see rows of other folders, or rows without a path.
    if let Some(within) = principal.jail.folder() {
        let asked = rows.prefix.as_deref().unwrap_or("/");
        let Some(prefix) = within.intersect(asked) else {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        };
        rows.prefix = Some(prefix.to_owned());
    }
    let mut connection = broker.connection().await?;
    // One extra row shows whether there is a next page.
    let mut items = audit::list(
        &mut connection,
        Tenants::One(&principal.tenant),
        &rows,
        Start::Newest(before),
        i64::from(limit) + 1,
    )
    .await?;
    let limit = usize::from(limit);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = (items.last().filter(|_| more)).map(|last| Cursor::Audit(last.id));
    Ok(Page { items, next })
}

/// Returns the next rows after `after`, oldest first, of one tenant or of all: for operators. The
/// flag is true if these are the last rows.
pub async fn next(
    connection: &mut Connection,
    tenant: Option<&str>,
    filter: &Filter,
    after: Option<Uuid>,
) -> Result<(Vec<Record>, bool)> {
    let tenants = tenant.map_or(Tenants::All, Tenants::One);
    let (rows, limit) = (filter.rows()?, *LIMITS.end());
    let start = Start::Oldest(after);
    let page = audit::list(connection, tenants, &rows, start, limit.into()).await?;
    let is_last = page.len() < usize::from(limit);
    Ok((page, is_last))
}

impl Filter {
    fn rows(&self) -> Result<store::audit::Filter> {
        Ok(store::audit::Filter {
            actions: self.actions.clone(),
            prefix: with_slash("/prefix", self.prefix.clone())?,
            // No row is older than the epoch, and Postgres does not support every time that chrono
            // supports.
            since: self.since.map(|since| since.max(DateTime::UNIX_EPOCH)),
            until: self.until.map(|until| until.max(DateTime::UNIX_EPOCH)),
        })
    }
}
