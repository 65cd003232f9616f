//! The secrets that sign the events of an endpoint. They are stored as they are, because a signature
//! needs them; no list contains them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use secrecy::SecretSlice;
use uuid::Uuid;

use crate::store::schema::webhooks;
use crate::store::{Connection, Result};

/// The secrets of an endpoint.
#[derive(Debug)]
pub struct Secrets {
    current: SecretSlice<u8>,
    previous: Option<(SecretSlice<u8>, DateTime<Utc>)>,
}

impl Secrets {
    /// Converts the columns of a row.
    pub(super) fn new(
        current: Vec<u8>,
        previous: Option<Vec<u8>>,
        until: Option<DateTime<Utc>>,
    ) -> Self {
        Self {
            current: current.into(),
            previous: previous.map(SecretSlice::from).zip(until),
        }
    }

    /// The secrets that sign at `now`: the current one first, then the previous one until its end.
    pub fn at(&self, now: DateTime<Utc>) -> impl Iterator<Item = &SecretSlice<u8>> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        [&self.current]
            .into_iter()
            .chain(previous.map(|(secret, _)| secret))
    }
}

/// Replaces the secret of an endpoint. The replaced one also signs until `previous_until`, and the
/// one before it no longer. Returns the tenant; `None` if there is no such endpoint.
pub async fn rotate(
    connection: &mut Connection,
    id: Uuid,
    fresh: &[u8],
    previous_until: DateTime<Utc>,
) -> Result<Option<String>> {
    diesel::update(webhooks::table.find(id))
        .set((
            webhooks::previous_secret.eq(webhooks::secret.nullable()),
            webhooks::previous_secret_until.eq(previous_until),
            webhooks::secret.eq(fresh),
        ))
        .returning(webhooks::tenant)
        .get_result(connection)
        .await
        .optional()
}

/// Clears the previous secrets that no longer sign at `now`, so that they are not stored for longer than
/// they are used.
pub async fn forget_previous(connection: &mut Connection, now: DateTime<Utc>) -> Result<()> {
    let over = webhooks::table.filter(webhooks::previous_secret_until.le(now));
    diesel::update(over)
        .set((
            webhooks::previous_secret.eq(None::<Vec<u8>>),
            webhooks::previous_secret_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(connection)
        .await?;
    Ok(())
}
