//! Create: a promise and the URL to keep it with.
//!
//! Signing asks nobody, so the URL is made first and the row in one statement after it. A crash
//! in between, or an answer that gets lost, leaves at most a Pending row without a client, which
//! the janitor lets expire.

use std::collections::{BTreeMap, HashMap};
use std::slice;
use std::sync::Arc;

use serde::Serialize;

use super::broker::Broker;
use super::error::{Result, for_all, is_of_one};
use super::group::{Group, Grouped};
use super::present::{Session, SignedPut};
use crate::domain::headers::ObjectHeaders;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::Connection;
use crate::store::uploads::{self, Place};

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
pub async fn create(
    broker: &Arc<Broker>,
    principal: &Principal,
    new: NewUpload,
) -> Result<Session> {
    let (upload, put) = promise(broker, principal, new).await?;
    let upload = broker.together(NewRow(upload)).await??;
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

/// A row that is written together with others.
pub struct NewRow(Upload);

impl Grouped for NewRow {
    type Answer = Result<Upload>;

    const NAME: &'static str = "create";

    fn group(broker: &Broker) -> &Group<Self> {
        &broker.creates
    }

    async fn write(broker: &Broker, rows: Vec<Self>) -> Vec<Result<Upload>> {
        write(broker, rows.into_iter().map(|row| row.0).collect()).await
    }
}

/// Writes rows in one statement; what each came to, in their order.
pub(super) async fn write(broker: &Broker, rows: Vec<Upload>) -> Vec<Result<Upload>> {
    let mut connection = match broker.connection().await {
        Ok(connection) => connection,
        Err(error) => return for_all(error, rows.len()),
    };
    match insert(&mut connection, &rows).await {
        Ok(refusals) => (rows.into_iter().zip(refusals))
            .map(|(row, refusal)| answer(row, refusal))
            .collect(),
        Err(cause) if is_of_one(&cause) => {
            let mut answers = Vec::with_capacity(rows.len());
            for row in rows {
                answers.push(write_alone(&mut connection, row).await);
            }
            answers
        }
        Err(cause) => for_all(cause.into(), rows.len()),
    }
}

async fn write_alone(connection: &mut Connection, row: Upload) -> Result<Upload> {
    let refusals = insert(connection, slice::from_ref(&row)).await?;
    answer(row, refusals.into_iter().next().flatten())
}

fn answer(row: Upload, refusal: Option<Refusal>) -> Result<Upload> {
    match refusal {
        None => Ok(row),
        Some(refusal) => Err(refusal.into()),
    }
}

/// Writes the rows, and says of each why it was not written: an acknowledged dataset stands in
/// its way.
pub(super) async fn insert(
    connection: &mut Connection,
    rows: &[Upload],
) -> diesel::QueryResult<Vec<Option<Refusal>>> {
    let written = uploads::insert(connection, rows).await?;
    if written.len() == rows.len() {
        return Ok(vec![None; rows.len()]);
    }
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !written.contains(&row.id)) {
        let paths = wanted.entry(&row.tenant).or_default();
        paths.push(row.path.as_str());
    }
    let mut standing = Vec::new();
    for (tenant, paths) in wanted {
        standing.extend(uploads::standing(connection, tenant, &paths).await?);
    }
    let standing: HashMap<Place<'_>, &Upload> = standing
        .iter()
        .map(|upload| (upload.into(), upload))
        .collect();
    let refusal = |row| exists(row, standing.get(&Place::from(row)).copied());
    Ok((rows.iter())
        .map(|row| (!written.contains(&row.id)).then(|| refusal(row)))
        .collect())
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
