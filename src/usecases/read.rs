//! Read one upload, on demand with a fresh URL.

use uuid::Uuid;

use super::broker::Broker;
use super::error::Result;
use super::present::Session;
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::domain::status::Status;
use crate::store::uploads;

/// The upload; with `refresh`, a Pending one also gets a fresh URL that lives as long as the
/// first one did, and its deadline moves along. The URLs handed out before stay good until they
/// end by themselves.
pub async fn read(
    broker: &Broker,
    principal: &Principal,
    id: Uuid,
    refresh: bool,
) -> Result<Session> {
    let mut connection = broker.connection().await?;
    let mut upload = uploads::by_id(&mut connection, &principal.tenant, id)
        .await?
        .ok_or_else(|| Refusal::no_upload(id))?;
    // A place may have become another tenant's since the upload was made: no new URL into it.
    let is_ours = principal.jail.path(&upload.key).is_some();
    if !refresh || upload.status != Status::Pending || !is_ours {
        return Ok(Session { upload, put: None });
    }
    let put = broker.sign_put(&upload).await?;
    if !uploads::extend(&mut connection, id, put.expires_at).await? {
        // It left Pending meanwhile: a URL would be of no use any more.
        let upload = uploads::by_id(&mut connection, &principal.tenant, id)
            .await?
            .ok_or_else(|| Refusal::no_upload(id))?;
        return Ok(Session { upload, put: None });
    }
    upload.expires_at = upload.expires_at.max(put.expires_at);
    Ok(Session {
        upload,
        put: Some(put),
    })
}
