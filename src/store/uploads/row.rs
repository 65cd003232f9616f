//! A row of the table, and its conversion into the domain type.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::checksum::Checksum;
use crate::domain::drift::{Drift, Drifted};
use crate::domain::object::ProvenObject;
use crate::domain::path::DatasetPath;
use crate::domain::proof::{Declared, ProofLevel};
use crate::domain::upload::{Failure, Multipart, Upload, Verification, Verifier, WriteRule};
use crate::store::schema::uploads;

#[derive(Queryable, Selectable)]
#[diesel(table_name = uploads, check_for_backend(diesel::pg::Pg))]
pub(super) struct Row {
    id: Uuid,
    tenant: String,
    path: String,
    bucket: String,
    key: String,
    status: String,
    name: String,
    comments: Option<String>,
    metadata: Value,
    content_type: String,
    size: Option<i64>,
    checksum_algorithm: Option<String>,
    checksum_value: Option<String>,
    overwrite: bool,
    if_match: Option<String>,
    headers: Value,
    lifetime_seconds: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    uploaded_at: Option<DateTime<Utc>>,
    error_code: Option<String>,
    error_detail: Option<String>,
    object_size: Option<i64>,
    object_etag: Option<String>,
    object_version_id: Option<String>,
    object_content_type: Option<String>,
    object_checksum_algorithm: Option<String>,
    object_checksum_value: Option<String>,
    object_last_modified: Option<DateTime<Utc>>,
    verification_level: Option<String>,
    verified_by: Option<String>,
    verified_at: Option<DateTime<Utc>>,
    sequence: i32,
    drift: Option<String>,
    drifted_at: Option<DateTime<Utc>>,
    s3_upload_id: Option<String>,
    part_size: Option<i64>,
    part_count: Option<i32>,
    part_checksums: Option<String>,
    max_size: Option<i64>,
    derived_from: Option<Uuid>,
    by_uppy: bool,
    arrival_check_at: Option<DateTime<Utc>>,
}

/// A value that the constraints of the table rule out. It is caused by a bug of this program.
#[derive(Debug, thiserror::Error)]
#[error("upload {id}: the column {column} has a value that no version of this program writes")]
struct Corrupt {
    id: Uuid,
    column: &'static str,
}

impl Row {
    pub(super) fn into_upload(mut self) -> super::super::Result<Upload> {
        self.try_into_upload()
            .map_err(|corrupt| diesel::result::Error::DeserializationError(Box::new(corrupt)))
    }

    fn try_into_upload(&mut self) -> Result<Upload, Corrupt> {
        let checksum = self.checksum(
            self.checksum_algorithm.as_deref(),
            self.checksum_value.as_deref(),
            "checksum_value",
        )?;
        let multipart = self.multipart()?;
        let object = self.object()?;
        let verification = self.verification()?;
        let write = match (self.if_match.take(), self.overwrite) {
            (Some(etag), _) => WriteRule::Replace { etag },
            (None, true) => WriteRule::Overwrite,
            (None, false) => WriteRule::CreateOnly,
        };
        let error = self.error_code.take().zip(self.error_detail.take());
        Ok(Upload {
            id: self.id,
            tenant: std::mem::take(&mut self.tenant),
            path: DatasetPath::from_stored(std::mem::take(&mut self.path)),
            bucket: std::mem::take(&mut self.bucket),
            key: std::mem::take(&mut self.key),
            status: self.status.parse().map_err(|_| self.corrupt("status"))?,
            name: std::mem::take(&mut self.name),
            comments: self.comments.take(),
            metadata: self.json(self.metadata.clone(), "metadata")?,
            declared: Declared {
                content_type: std::mem::take(&mut self.content_type),
                size: self.bytes(self.size, "size")?,
                checksum,
            },
            write,
            headers: self.json(self.headers.clone(), "headers")?,
            multipart,
            derived_from: self.derived_from,
            by_uppy: self.by_uppy,
            arrival_check_at: self.arrival_check_at,
            max_size: self.bytes(self.max_size, "max_size")?,
            lifetime_seconds: u32::try_from(self.lifetime_seconds)
                .map_err(|_| self.corrupt("lifetime_seconds"))?,
            created_at: self.created_at,
            updated_at: self.updated_at,
            expires_at: self.expires_at,
            uploaded_at: self.uploaded_at,
            error: error.map(|(code, detail)| Failure { code, detail }),
            object,
            verification,
            drift: self.drift()?,
            sequence: self.sequence,
            lease_token: None,
        })
    }

    fn multipart(&mut self) -> Result<Option<Multipart>, Corrupt> {
        let part_size = self.bytes(self.part_size, "part_size")?;
        let Some((s3_upload_id, part_size)) = self.s3_upload_id.take().zip(part_size) else {
            return Ok(None);
        };
        let part_checksums = self.part_checksums.as_deref().map(str::parse).transpose();
        Ok(Some(Multipart {
            s3_upload_id,
            part_size,
            part_count: (self.part_count.map(u32::try_from).transpose())
                .map_err(|_| self.corrupt("part_count"))?,
            part_checksums: part_checksums.map_err(|_| self.corrupt("part_checksums"))?,
        }))
    }

    fn object(&self) -> Result<Option<ProvenObject>, Corrupt> {
        let (Some(size), Some(etag), Some(last_modified)) = (
            self.bytes(self.object_size, "object_size")?,
            &self.object_etag,
            self.object_last_modified,
        ) else {
            return Ok(None);
        };
        Ok(Some(ProvenObject {
            size,
            etag: etag.clone(),
            version_id: self.object_version_id.clone(),
            content_type: self.object_content_type.clone(),
            checksum: self.checksum(
                self.object_checksum_algorithm.as_deref(),
                self.object_checksum_value.as_deref(),
                "object_checksum_value",
            )?,
            last_modified,
        }))
    }

    fn verification(&self) -> Result<Option<Verification>, Corrupt> {
        let (Some(level), Some(by), Some(at)) = (
            &self.verification_level,
            &self.verified_by,
            self.verified_at,
        ) else {
            return Ok(None);
        };
        let level = ProofLevel::ALL
            .into_iter()
            .find(|one| one.as_str() == level);
        let by = Verifier::ALL.into_iter().find(|one| one.as_str() == by);
        Ok(Some(Verification {
            level: level.ok_or(self.corrupt("verification_level"))?,
            by: by.ok_or(self.corrupt("verified_by"))?,
            at,
        }))
    }

    fn drift(&self) -> Result<Option<Drifted>, Corrupt> {
        let Some((kind, at)) = self.drift.as_ref().zip(self.drifted_at) else {
            return Ok(None);
        };
        let kind = Drift::ALL.into_iter().find(|one| one.as_str() == kind);
        Ok(Some(Drifted {
            kind: kind.ok_or(self.corrupt("drift"))?,
            at,
        }))
    }

    fn checksum(
        &self,
        algorithm: Option<&str>,
        value: Option<&str>,
        column: &'static str,
    ) -> Result<Option<Checksum>, Corrupt> {
        let Some((algorithm, value)) = algorithm.zip(value) else {
            return Ok(None);
        };
        let algorithm = algorithm.parse().map_err(|_| self.corrupt(column))?;
        let checksum = Checksum::parse(algorithm, value).map_err(|_| self.corrupt(column))?;
        Ok(Some(checksum))
    }

    fn bytes(&self, size: Option<i64>, column: &'static str) -> Result<Option<u64>, Corrupt> {
        size.map(u64::try_from)
            .transpose()
            .map_err(|_| self.corrupt(column))
    }

    fn json<T: DeserializeOwned>(&self, value: Value, column: &'static str) -> Result<T, Corrupt> {
        serde_json::from_value(value).map_err(|_| self.corrupt(column))
    }

    fn corrupt(&self, column: &'static str) -> Corrupt {
        Corrupt {
            id: self.id,
            column,
        }
    }
}
