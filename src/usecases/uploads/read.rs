//! Read uploads, on demand with fresh URLs.

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

/// The upload; with `refresh`, a Pending one also gets fresh URLs that live as long as the
/// first ones did, or as the tenant's may by now, or to the caller's own end; its deadline moves
/// along, as far as sessions may be extended. The URLs handed out before stay good until they end by themselves.
pub async fn read(
    broker: &Broker,
    principal: &Principal,
    id: Uuid,
    refresh: bool,
) -> Result<Session> {
    let read = read_many(broker, principal, &[id], refresh).await?.pop();
    read.unwrap_or_else(|| Err(Refusal::no_upload(id).into()))
}

/// The same of many, each named once, in their order: one statement finds them, and one extends
/// them.
pub(in crate::usecases) async fn read_many(
    broker: &Broker,
    principal: &Principal,
    ids: &[Uuid],
    refresh: bool,
) -> Result<Vec<Result<Session>>> {
    let mut connection = broker.connection().await?;
    let found = find::all(&mut connection, principal, ids).await?;
    // Signing may wait for credentials, and others for the connection.
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
    // They left Pending meanwhile: a URL would be of no use any more.
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

/// An upload with fresh URLs, where it may have some, and with the deadline that they give it.
async fn sign(broker: &Broker, principal: &Principal, mut upload: Upload) -> Result<Session> {
    // A place may have become another tenant's since the upload was made: no new URL into it.
    let is_ours = principal.jail.path(&upload.key).is_some();
    if upload.status != Status::Pending || !is_ours {
        return Ok(Session { upload, urls: None });
    }
    find::may_write(principal, &upload)?;
    let until = broker.session_end(&upload, broker.limits(&principal.policy).lifetime(&upload));
    let Some(lifetime) = broker.url_seconds_until(until) else {
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
    upload.expires_at = upload.expires_at.max(until);
    let urls = Some(urls);
    Ok(Session { upload, urls })
}
