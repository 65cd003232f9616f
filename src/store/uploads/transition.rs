//! The one door for `status`.
//!
//! Each arrow is a compare-and-set on the row and an INSERT of its event; the caller wraps both
//! in one transaction. Of two callers at once, one finds the row as it must be, the other gets
//! nothing.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::find::Current;
use super::row::Row;
use crate::domain::checksum::Checksum;
use crate::domain::event::EventType;
use crate::domain::object::ProvenObject;
use crate::domain::status::Transition;
use crate::domain::upload::{Failure, Upload, Verification};
use crate::store::schema::uploads;
use crate::store::{Connection, Result, events};

/// What changes with an arrow, beside the status. `None` leaves a column alone.
#[derive(AsChangeset, Default)]
#[diesel(table_name = uploads)]
pub struct Changes {
    name: Option<String>,
    comments: Option<String>,
    metadata: Option<Value>,
    size: Option<i64>,
    checksum_algorithm: Option<&'static str>,
    checksum_value: Option<String>,
    uploaded_at: Option<DateTime<Utc>>,
    error_code: Option<Option<String>>,
    error_detail: Option<Option<String>>,
    object_size: Option<i64>,
    object_etag: Option<String>,
    object_version_id: Option<String>,
    object_content_type: Option<String>,
    object_checksum_algorithm: Option<&'static str>,
    object_checksum_value: Option<String>,
    object_last_modified: Option<DateTime<Utc>>,
    verification_level: Option<&'static str>,
    verified_by: Option<&'static str>,
    verified_at: Option<DateTime<Utc>>,
}

impl Changes {
    /// New words for people.
    pub fn words(
        mut self,
        name: Option<String>,
        comments: Option<String>,
        metadata: Option<Value>,
    ) -> Self {
        self.name = name;
        self.comments = comments;
        self.metadata = metadata;
        self
    }

    /// A size and a checksum that the client declared only now.
    pub fn declared(mut self, size: Option<u64>, checksum: Option<&Checksum>) -> Self {
        self.size = size.and_then(|size| i64::try_from(size).ok());
        self.checksum_algorithm = checksum.map(|checksum| checksum.algorithm().as_str());
        self.checksum_value = checksum.map(|checksum| checksum.value().to_owned());
        self
    }

    /// The proof. Whatever was wrong before is forgotten.
    pub fn proven(mut self, object: &ProvenObject, verification: Verification) -> Self {
        let checksum = object.checksum.as_ref();
        self.uploaded_at = Some(verification.at);
        self.error_code = Some(None);
        self.error_detail = Some(None);
        self.object_size = i64::try_from(object.size).ok();
        self.object_etag = Some(object.etag.clone());
        self.object_version_id = object.version_id.clone();
        self.object_content_type = object.content_type.clone();
        self.object_checksum_algorithm = checksum.map(|checksum| checksum.algorithm().as_str());
        self.object_checksum_value = checksum.map(|checksum| checksum.value().to_owned());
        self.object_last_modified = Some(object.last_modified);
        self.verification_level = Some(verification.level.as_str());
        self.verified_by = Some(verification.by.as_str());
        self.verified_at = Some(verification.at);
        self
    }

    /// What is wrong.
    pub fn failed(mut self, failure: Failure) -> Self {
        self.error_code = Some(Some(failure.code));
        self.error_detail = Some(Some(failure.detail));
        self
    }
}

/// Takes an arrow: the row changes and its event is written, or nothing happens (`None`) because
/// the row is not in a state that the arrow starts from. Call it inside a transaction.
pub async fn transition(
    connection: &mut Connection,
    id: Uuid,
    arrow: Transition,
    at: DateTime<Utc>,
    changes: Changes,
) -> Result<Option<Upload>> {
    let from: Vec<_> = arrow.from().iter().map(|status| status.as_str()).collect();
    let row = uploads::table
        .filter(uploads::id.eq(id))
        .filter(uploads::status.eq_any(from));
    let row: Option<Row> = diesel::update(row)
        .set((
            uploads::status.eq(arrow.to().as_str()),
            uploads::updated_at.eq(at),
            uploads::sequence.eq(uploads::sequence + 1),
            changes,
        ))
        .returning(Row::as_returning())
        .get_result(connection)
        .await
        .optional()?;
    let Some(upload) = row.map(Row::into_upload).transpose()? else {
        return Ok(None);
    };
    events::append(connection, &upload, EventType::of(arrow), at).await?;
    Ok(Some(upload))
}

/// Supersedes the upload that `mark` names as current. Call it inside the transaction that
/// acknowledges the next one at that path, before its arrow.
///
/// Only that one: whoever became current since the mark was taken has a newer proof. It stays,
/// and the arrow of the next one fails at the constraint that there is one current upload a path.
pub async fn supersede(
    connection: &mut Connection,
    mark: Current,
    at: DateTime<Utc>,
) -> Result<()> {
    if let Some(other) = mark.upload() {
        transition(
            connection,
            other,
            Transition::Supersede,
            at,
            Changes::default(),
        )
        .await?;
    }
    Ok(())
}
