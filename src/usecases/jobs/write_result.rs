//! Writes the result of a job as a dataset of the tenant.
//!
//! A result is an upload like any other: created through the single entry point, with the limits and
//! the quota of the tenant, written by this process, and proven by an acknowledge. Its path follows
//! from the upload, the processor and the name of the result, so that another attempt replaces what
//! an earlier one has left.
//!
//! | The worker dies | What remains | Repaired by |
//! |---|---|---|
//! | before the bytes are written | a Pending upload | the janitor, which lets it expire |
//! | before the acknowledge | a Pending upload and its object | the next attempt replaces the object; the janitor lets the upload expire |
//! | before the job has ended, or between two results of it | datasets that no job names | the next attempt replaces them |
//!
//! A worker that has lost its lease must not replace the result of the worker that took over: the
//! lease is renewed right before the write and right before the acknowledge. In the moment between
//! that and the write, it can only write the same bytes, because processors are deterministic.

use std::fs::File;
use std::sync::Arc;

use crate::domain::bounds::Bounds;
use crate::domain::job::{Job, JobOutput};
use crate::domain::principal::{Credential, Principal, Scope};
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::objects::write;
use crate::store::tenants;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::acknowledge::{self, Expected};
use crate::usecases::uploads::cancel;
use crate::usecases::uploads::create::{self, Created, DerivedFrom, NewUpload};
use crate::usecases::uploads::write_object;

/// A result in a local file.
#[derive(Debug)]
pub struct LocalResult {
    /// What it is, such as `aggregate`.
    pub kind: &'static str,
    /// What distinguishes it from other results of the same job.
    pub name: Option<String>,
    /// The extension of its file name, without a dot.
    pub extension: &'static str,
    /// The media type.
    pub content_type: &'static str,
    /// The bytes, from the start of the file.
    pub file: Arc<File>,
    /// Their number.
    pub size: u64,
}

/// Writes a result, and returns it as an output of its job; `None` if `is_leased` says that the lease
/// of the job was lost, and then the upload of the result is cancelled.
///
/// # Errors
/// A refusal, such as a quota that is used up, or a service that does not answer.
pub async fn write_result<F>(
    broker: &Arc<Broker>,
    job: &Job,
    upload: &Upload,
    result: &LocalResult,
    is_leased: impl Fn() -> F,
) -> Result<Option<JobOutput>>
where
    F: Future<Output = bool>,
{
    let principal = principal_of(broker, &job.tenant).await?;
    if !is_leased().await {
        return Ok(None);
    }
    let new = new_upload(broker, job, upload, result).await?;
    let created = create::create(broker, &principal, new, None).await?;
    let (Created::New(session) | Created::Before(session)) = created;
    let derived = session.upload;
    let written = write_object::write(broker, &derived, &result.file, result.size).await;
    if written.is_err() || !is_leased().await {
        // The janitor ends it if this fails.
        if let Err(error) = cancel::cancel(broker, &principal, derived.id).await {
            log::debug!(
                "job {}: its result {} was not cancelled: {error}",
                job.id,
                derived.id
            );
        }
        written?;
        return Ok(None);
    }
    let expected = Expected::default();
    let proven = acknowledge::by_id(broker, &principal, derived.id, expected).await?;
    let object = proven
        .object
        .ok_or_else(|| Refusal::no_upload(derived.id))?;
    Ok(Some(JobOutput {
        kind: result.kind.to_owned(),
        path: proven.path.as_str().to_owned(),
        size: object.size,
        etag: object.etag,
    }))
}

/// Returns the principal for work of the broker itself on behalf of a tenant: all of the tenant's
/// part of the bucket, with the limits of the tenant.
async fn principal_of(broker: &Broker, tenant: &str) -> Result<Principal> {
    let mut connection = broker.connection().await?;
    let access = tenants::find_enabled(&mut connection, tenant).await?;
    let (jail, policy) =
        access.ok_or_else(|| Error::Busy(format!("The tenant {tenant} is disabled")))?;
    Ok(Principal {
        tenant: tenant.to_owned(),
        jail,
        policy: Arc::new(policy),
        scopes: vec![Scope::UploadsWrite],
        key_id: None,
        credential: Credential::Broker,
        bounds: Bounds::default(),
    })
}

async fn new_upload(
    broker: &Broker,
    job: &Job,
    upload: &Upload,
    result: &LocalResult,
) -> Result<NewUpload> {
    let checksum = write::checksum_of(&result.file).await;
    let checksum = checksum.map_err(|cause| Error::Internal(cause.into()))?;
    let checksum = (
        checksum.algorithm().as_str().to_owned(),
        checksum.value().to_owned(),
    );
    let is_large = result.size > broker.rules.multipart_threshold;
    Ok(NewUpload {
        path: path_of(&broker.rules.derived_prefix, job, result),
        name: Some(name_of(upload, job, result)),
        content_type: Some(result.content_type.to_owned()),
        size: Some(result.size),
        // A store does not return the SHA-256 of an object that was written in parts.
        checksum: (!is_large).then_some(checksum),
        overwrite: Some(true),
        derived_from: Some(DerivedFrom::Known(upload.id)),
        ..NewUpload::default()
    })
}

/// Returns the name of a dataset for people, such as `Sunset (image-resize, small)`.
fn name_of(upload: &Upload, job: &Job, result: &LocalResult) -> String {
    let (upload, processor) = (&upload.name, &job.processor);
    match &result.name {
        None => format!("{upload} ({processor})"),
        Some(name) => format!("{upload} ({processor}, {name})"),
    }
}

/// Returns the path of a result: `/derived/UPLOAD/PROCESSOR.EXTENSION`, or
/// `/derived/UPLOAD/PROCESSOR-NAME.EXTENSION` if it has a name.
fn path_of(prefix: &str, job: &Job, result: &LocalResult) -> String {
    let (upload, processor, extension) = (job.upload_id, &job.processor, result.extension);
    match &result.name {
        None => format!("{prefix}{upload}/{processor}.{extension}"),
        Some(name) => format!("{prefix}{upload}/{processor}-{name}.{extension}"),
    }
}
