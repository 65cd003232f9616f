//! Extend: a session lives on.
//!
//! One statement moves the deadline, never back and never past the longest life of a session; an
//! upload that is not Pending any more stays as it is.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::domain::status::{Status, Transition};
use crate::domain::upload::Upload;
use crate::objects::sign::MAX_EXPIRES_IN;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::faults::Faults;
use crate::usecases::uploads::find;

/// Lets a Pending upload live for `seconds` from now, or as long again as it was asked to live
/// at first. `seconds` may be no more than a URL of the tenant may live. The end comes sooner
/// where that passes the longest life of a session, as `expires_at` then says.
pub async fn extend(
    broker: &Broker,
    principal: &Principal,
    id: Uuid,
    seconds: Option<u32>,
) -> Result<Upload> {
    let limits = broker.limits(&principal.policy);
    if let Some(seconds) = seconds {
        let mut faults = Faults::default();
        limits.check_lifetime(&mut faults, seconds);
        faults.into_result()?;
    }
    let mut connection = broker.connection().await?;
    let mut upload = find::by_id(&mut connection, principal, id).await?;
    let until = broker.session_end(&upload, seconds.unwrap_or_else(|| limits.lifetime(&upload)));
    if upload.status == Status::Pending && uploads::extend(&mut connection, id, until).await? {
        upload.expires_at = upload.expires_at.max(until);
        return Ok(upload);
    }
    drop(connection);
    let now = broker.reload(&upload).await?;
    Err(Refusal::wrong_status(id, now.status, Transition::Cancel).into())
}

impl Broker {
    /// The end of a session that shall live `seconds` from now.
    pub(in crate::usecases) fn session_end(&self, upload: &Upload, seconds: u32) -> DateTime<Utc> {
        let wanted = self.clock.now() + TimeDelta::seconds(seconds.into());
        let most = self.rules.session_max_seconds.max(upload.lifetime_seconds);
        wanted.min(upload.created_at + TimeDelta::seconds(most.into()))
    }

    /// How many seconds a URL may live that ends then; `None` where that is over.
    pub(in crate::usecases) fn url_seconds_until(&self, until: DateTime<Utc>) -> Option<u32> {
        // Signed at the second that has begun, it would end too early where it were cut down.
        let second = self.clock.now().timestamp();
        let left = u32::try_from(until.timestamp() - second).ok()?;
        (left > 0).then(|| left.min(MAX_EXPIRES_IN))
    }
}
