//! Reads uploads, on request with fresh URLs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::find;
use crate::usecases::uploads::session::{Session, Urls};

/// Reads an upload. With `refresh`, a Pending upload also gets fresh URLs. Their lifetime is that
/// of the first ones, limited by the tenant's current limit and the end of the caller's credential.
/// The deadline of the session moves along, up to the longest lifetime of a session. Older URLs
/// remain valid until they expire.
pub async fn read(
    broker: &Broker,
    principal: &Principal,
    id: Uuid,
    refresh: bool,
) -> Result<Session> {
    let read = read_many(broker, principal, &[id], refresh).await?.pop();
    read.unwrap_or_else(|| Err(Refusal::no_upload(id).into()))
}

/// Reads many uploads, whose ids are distinct, in the order of the ids. One statement finds them,
/// and one extends them.
pub(in crate::usecases) async fn read_many(
    broker: &Broker,
    principal: &Principal,
    ids: &[Uuid],
    refresh: bool,
) -> Result<Vec<Result<Session>>> {
    let mut connection = broker.connection().await?;
    let found = find::all(&mut connection, principal, ids).await?;
    // Signing may wait for credentials, while other requests need the connection.
    drop(connection);
    let mut sessions = Vec::with_capacity(ids.len());
    for upload in found {
        sessions.push(match upload {
            Ok(upload) if refresh => sign(broker, principal, upload).await,
            Ok(upload) => Ok(Session { upload, urls: None }),
            Err(refusal) => Err(refusal.into()),
        });
    }
    let signed: Vec<(Uuid, DateTime<Utc>)> = (sessions.iter().flatten())
        .filter(|session| session.urls.is_some())
        .map(|session| (session.upload.id, session.upload.expires_at))
        .collect();
    if signed.is_empty() {
        return Ok(sessions);
    }
    let mut connection = broker.connection().await?;
    let extended = uploads::extend_many(&mut connection, &signed).await?;
    let ids = signed.into_iter().map(|(id, _)| id);
    let ended: Vec<Uuid> = ids.filter(|id| !extended.contains(id)).collect();
    if ended.is_empty() {
        return Ok(sessions);
    }
    // These uploads have left Pending meanwhile, so URLs would be useless.
    let found = find::all(&mut connection, principal, &ended).await?;
    let mut found: HashMap<Uuid, _> = ended.into_iter().zip(found).collect();
    for session in &mut sessions {
        let id = session.as_ref().ok().map(|session| session.upload.id);
        if let Some(upload) = id.and_then(|id| found.remove(&id)) {
            let upload = upload.map(|upload| Session { upload, urls: None });
            *session = upload.map_err(Into::into);
        }
    }
    Ok(sessions)
}

/// Returns an upload with fresh URLs, if it may have some, and with the resulting deadline.
async fn sign(broker: &Broker, principal: &Principal, mut upload: Upload) -> Result<Session> {
    // The key may belong to another tenant since the upload was created: no new URL is signed for
    // it.
    let is_own = principal.jail.path(&upload.key).is_some();
    if upload.status != Status::Pending || !is_own {
        return Ok(Session { upload, urls: None });
    }
    find::may_write(principal, &upload)?;
    let until = broker.session_end(&upload, broker.limits(&principal.policy).lifetime(&upload));
    let Some(lifetime) = broker.url_seconds_until(until) else {
        // The session cannot be extended any more.
        return Ok(Session { upload, urls: None });
    };
    let ends_at = principal.bounds.ends_at;
    let urls = broker.sign(&upload, lifetime, ends_at).await?;
    // A session with parts may outlive the store's credentials, because its client can request new
    // URLs.
    let until = match &urls {
        Urls::Parts(_) => until,
        Urls::Put(put) => put.session_ends_at,
    };
    upload.expires_at = upload.expires_at.max(until);
    let urls = Some(urls);
    Ok(Session { upload, urls })
}
