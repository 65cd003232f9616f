//! Read one upload, on demand with fresh URLs.

use uuid::Uuid;

use super::broker::Broker;
use super::error::Result;
use super::find;
use super::present::{Session, Urls};
use crate::domain::principal::Principal;
use crate::domain::status::Status;
use crate::store::uploads;

/// The upload; with `refresh`, a Pending one also gets fresh URLs that live as long as the
/// first ones did, or as the tenant's may by now, or to the caller's own end; its deadline moves
/// along, as far as sessions may be extended. The URLs handed out before stay good until they end by themselves.
pub async fn read(
    broker: &Broker,
    principal: &Principal,
    id: Uuid,
    refresh: bool,
) -> Result<Session> {
    let mut connection = broker.connection().await?;
    let mut upload = find::by_id(&mut connection, principal, id).await?;
    // Signing may wait for credentials, and others for the connection.
    drop(connection);
    // A place may have become another tenant's since the upload was made: no new URL into it.
    let is_ours = principal.jail.path(&upload.key).is_some();
    if !refresh || upload.status != Status::Pending || !is_ours {
        return Ok(Session { upload, urls: None });
    }
    find::may_write(principal, &upload)?;
    let until = broker.until(&upload, broker.limits(&principal.policy).lifetime(&upload));
    let Some(lifetime) = broker.seconds_to(until) else {
        // It cannot be extended any more.
        return Ok(Session { upload, urls: None });
    };
    let ends_at = principal.bounds.ends_at;
    let urls = broker.sign(&upload, lifetime, ends_at).await?;
    // A session in parts may outlive the store's credentials: its URLs can be had anew.
    let until = match &urls {
        Urls::Parts(_) => until,
        Urls::Put(put) => put.session_ends_at,
    };
    let mut connection = broker.connection().await?;
    if !uploads::extend(&mut connection, id, until).await? {
        // It left Pending meanwhile: a URL would be of no use any more.
        let upload = find::by_id(&mut connection, principal, id).await?;
        return Ok(Session { upload, urls: None });
    }
    upload.expires_at = upload.expires_at.max(until);
    let urls = Some(urls);
    Ok(Session { upload, urls })
}
