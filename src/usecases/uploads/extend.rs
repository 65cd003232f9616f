//! Extends the deadline of a session.
//!
//! One statement moves the deadline: never back, and never past the longest lifetime of a session.
//! An upload that is no longer Pending does not change.

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

/// Extends a Pending upload to `seconds` from now, or by its original lifetime. `seconds` may not
/// exceed the longest lifetime of the tenant's URLs. If the end would be past the longest lifetime
/// of a session, the deadline is earlier; `expires_at` has the actual value.
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
    /// Returns the end of a session that is extended to `seconds` from now.
    pub(in crate::usecases) fn session_end(&self, upload: &Upload, seconds: u32) -> DateTime<Utc> {
        let wanted = self.clock.now() + TimeDelta::seconds(seconds.into());
        let most = self.rules.session_max_seconds.max(upload.lifetime_seconds);
        wanted.min(upload.created_at + TimeDelta::seconds(most.into()))
    }

    /// Returns the lifetime, in seconds, of a URL that ends at `until`; `None` if that time has
    /// passed.
    pub(in crate::usecases) fn url_seconds_until(&self, until: DateTime<Utc>) -> Option<u32> {
        // The signature has the current time in whole seconds. Rounding the difference down would
        // end the URL too early.
        let second = self.clock.now().timestamp();
        let left = u32::try_from(until.timestamp() - second).ok()?;
        (left > 0).then(|| left.min(MAX_EXPIRES_IN))
    }
}
