//! Read the audit: a tenant its own, newest first; operators all of it, oldest first.

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

/// Which rows. What is `None` does not narrow them down.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of one of these actions; of any, where it is empty.
    pub actions: Vec<Action>,
    /// At paths that start like this, with or without the leading slash.
    pub prefix: Option<String>,
    /// The first moment.
    pub since: Option<DateTime<Utc>>,
    /// The first moment that is too late.
    pub until: Option<DateTime<Utc>>,
}

/// One page of the tenant's rows, newest first: `limit` of them, from where the last page ended.
/// A caller that is confined to a folder gets those of paths in it.
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
    // Of what a confined caller may not know of, nothing is told: rows of other folders, and those
    // of no path.
    if let Some(within) = principal.jail.folder() {
        let asked = rows.prefix.as_deref().unwrap_or("/");
        let Some(met) = within.intersect(asked) else {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        };
        rows.prefix = Some(met.to_owned());
    }
    let mut connection = broker.connection().await?;
    // One more than asked for tells whether there is a next page.
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

/// The next rows after `after`, oldest first, of one tenant or of everybody: for operators. None
/// are left where there are fewer than a page of them.
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
            // Nothing is older; Postgres cannot take every time that chrono can.
            since: self.since.map(|since| since.max(DateTime::UNIX_EPOCH)),
            until: self.until.map(|until| until.max(DateTime::UNIX_EPOCH)),
        })
    }
}
