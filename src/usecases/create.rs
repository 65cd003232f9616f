//! Create: a promise and the URL to keep it with.
//!
//! Signing asks nobody, so the URL is made first and the row in one statement after it. A crash
//! in between, or an answer that gets lost, leaves at most a Pending row without a client, which
//! the janitor lets expire.

use std::collections::BTreeMap;

use serde::Serialize;

use super::broker::Broker;
use super::error::Result;
use super::present::{Session, SignedPut};
use crate::domain::headers::ObjectHeaders;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::{Connection, uploads};

/// What a client asks for, as it came; see the contract of `POST /uploads`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewUpload {
    /// With or without the leading slash.
    pub path: String,
    /// By default the file stem.
    pub name: Option<String>,
    /// A note.
    pub comments: Option<String>,
    /// Kept in Postgres.
    pub metadata: BTreeMap<String, String>,
    /// By default by the extension.
    pub content_type: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// The algorithm's name and the value in base64.
    pub checksum: Option<(String, String)>,
    /// Whether an object that stands there may be replaced.
    pub overwrite: Option<bool>,
    /// Replace exactly this version.
    pub if_match: Option<String>,
    /// Set on the object.
    pub headers: ObjectHeaders,
    /// How long the URL lives, in seconds.
    pub expires_in: Option<u32>,
}

/// Makes an upload session.
///
/// Refused where a field is wrong, a limit is passed, or an acknowledged dataset stands at the
/// path and may not be replaced.
pub async fn create(broker: &Broker, principal: &Principal, new: NewUpload) -> Result<Session> {
    let (upload, put) = promise(broker, principal, new).await?;
    let mut connection = broker.connection().await?;
    insert(&mut connection, &upload).await?;
    Ok(Session {
        upload,
        put: Some(put),
    })
}

/// The upload as it would be, and its URL. Nothing is written yet.
pub(super) async fn promise(
    broker: &Broker,
    principal: &Principal,
    new: NewUpload,
) -> Result<(Upload, SignedPut)> {
    let now = broker.clock.now();
    let mut upload = broker.declare(principal, new, now)?;
    let put = broker.sign_put(&upload).await?;
    // Credentials in their last second may end before this very microsecond.
    upload.expires_at = put.expires_at.max(now);
    Ok((upload, put))
}

/// Writes the row; refused where an acknowledged dataset stands in its way.
pub(super) async fn insert(connection: &mut Connection, upload: &Upload) -> Result<()> {
    if uploads::insert(connection, upload).await? {
        return Ok(());
    }
    let paths = [upload.path.as_str()];
    let standing = uploads::standing(connection, &upload.tenant, &paths).await?;
    Err(exists(upload, standing.first()).into())
}

fn exists(wanted: &Upload, standing: Option<&Upload>) -> Refusal {
    Refusal {
        upload_id: standing.map(|upload| upload.id),
        status: standing.map(|upload| upload.status),
        ..Refusal::new(
            Code::DatasetExists,
            format!(
                "A dataset stands at {}. Set overwrite to replace it, or if_match to replace exactly one version.",
                wanted.path
            ),
        )
    }
}
