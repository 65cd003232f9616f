//! CompleteMultipartUpload.

use hyper::header::HOST;
use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::checksum::{Checksum, ChecksumFields};
use super::super::commit::persist_if_indexed;
use super::super::condition::Condition;
use super::super::errors::{StoreError, internal};
use super::super::events::EventName;
use super::super::fields::{declared_checksums, fill_checksum};
use super::super::list::escaped;
use super::super::object::{Attributes, Object, now, to_millis};
use super::super::put::check_early;
use super::super::store::{Store, blocking};
use super::checksum_method::ChecksumMethod;
use super::join::{Joined, join};
use super::plan::Plan;
use super::records::UploadKey;

/// A part may be replaced between the read of the index and the commit; then the completion starts over.
/// More attempts than this cannot be explained by such a race.
const MAX_ATTEMPTS: usize = 16;

pub(in crate::dev::s3) async fn complete(
    store: &Store,
    req: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = req.input;
    let request = CompleteRequest {
        upload_key: UploadKey::of(&input.bucket, &input.key, &input.upload_id)?,
        condition: Condition::of_write(input.if_match.as_ref(), input.if_none_match.as_ref())?,
        declared: declared_checksum(declared_checksums!(input))?,
        kind: input.checksum_type.map(|kind| kind.as_str().to_owned()),
        size: input.mpu_object_size,
        parts: input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default(),
    };
    let object = request.complete(store).await?;
    let host = req.headers.get(HOST).and_then(|host| host.to_str().ok());
    let mut output = CompleteMultipartUploadOutput {
        location: host
            .map(|host| format!("http://{host}/{}/{}", input.bucket, escaped(&input.key))),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(object.e_tag()),
        server_side_encryption: (object.attributes.server_side_encryption.clone()).map(Into::into),
        ..CompleteMultipartUploadOutput::default()
    };
    fill_checksum!(output, object.checksum);
    Ok(S3Response::new(output))
}

struct CompleteRequest {
    upload_key: UploadKey,
    condition: Condition,
    declared: Option<Checksum>,
    kind: Option<String>,
    size: Option<i64>,
    parts: Vec<CompletedPart>,
}

impl CompleteRequest {
    async fn complete(&self, store: &Store) -> S3Result<Object> {
        for _ in 0..MAX_ATTEMPTS {
            let (index, upload_key) = (store.clone(), self.upload_key.clone());
            let (upload, present) =
                blocking(move || index.index().upload_with_parts(&upload_key)).await?;
            let method = upload.checksum_method();
            let plan = Plan::of(&self.parts, &present, method)?;
            self.check(&plan, method)?;
            check_early(
                store,
                &self.upload_key.bucket,
                &self.upload_key.key,
                &self.condition,
            )
            .await?;
            let (joining, parts) = (store.clone(), plan.parts.clone());
            let Some(joined) = blocking(move || join(&joining, &parts, method)).await? else {
                continue;
            };
            self.check_checksum(&joined.checksum)?;
            if let Some(object) = self.commit(store, plan, joined, upload.attributes).await? {
                return Ok(object);
            }
        }
        Err(internal(&std::io::Error::other(
            "the parts of an upload keep changing during its completion",
        )))
    }

    fn check(&self, plan: &Plan, method: ChecksumMethod) -> S3Result<()> {
        if self
            .size
            .is_some_and(|size| u64::try_from(size) != Ok(plan.size()))
        {
            return Err(s3_error!(
                InvalidRequest,
                "The provided 'x-amz-mp-object-size' header value does not match what was computed."
            ));
        }
        let type_differs = self
            .kind
            .as_ref()
            .is_some_and(|kind| kind != method.kind().as_str());
        let declared = self.declared.as_ref().map(|declared| declared.algorithm);
        if type_differs || declared.is_some_and(|algorithm| algorithm != method.algorithm) {
            return Err(s3_error!(
                InvalidRequest,
                "The upload has a {} checksum of the type {}.",
                method.algorithm.name(),
                method.kind().as_str()
            ));
        }
        Ok(())
    }

    /// Compares the computed checksum with the declared one. The client may omit the number of parts of a
    /// composite checksum.
    fn check_checksum(&self, computed: &Checksum) -> S3Result<()> {
        let Some(declared) = &self.declared else {
            return Ok(());
        };
        let (digest, _) = computed
            .value
            .split_once('-')
            .unwrap_or((&computed.value, ""));
        if declared.value == computed.value || declared.value == digest {
            return Ok(());
        }
        Err(s3_error!(
            BadDigest,
            "The {} you specified did not match the calculated checksum.",
            computed.algorithm.name()
        ))
    }

    /// Creates the object from the joined parts, and removes the upload. Returns `None` if a part was
    /// replaced in the meantime.
    async fn commit(
        &self,
        store: &Store,
        plan: Plan,
        joined: Joined,
        attributes: Attributes,
    ) -> S3Result<Option<Object>> {
        let object = Object {
            body: joined.draft.id(),
            size: plan.size(),
            etag: plan.etag(),
            modified_ms: to_millis(now()),
            checksum: joined.checksum,
            attributes,
        };
        let (store, upload_key, condition) = (
            store.clone(),
            self.upload_key.clone(),
            self.condition.clone(),
        );
        blocking(move || {
            let planned = plan.numbers.iter().copied().zip(&plan.parts);
            let completed =
                store
                    .index()
                    .complete_upload(&upload_key, planned, &object, &condition);
            let change = match completed {
                Ok(None) => return Ok(None),
                Ok(Some(change)) => persist_if_indexed(joined.draft, Ok(change))?,
                Err(error) => persist_if_indexed(joined.draft, Err::<_, StoreError>(error))?,
            };
            store.remove_bodies(&change.orphans);
            let (bucket, key) = (&upload_key.bucket, &upload_key.key);
            store.notify_observer(
                EventName::CreatedMultipart,
                bucket,
                key,
                Some(&object),
                change.sequence,
            );
            Ok(Some(object))
        })
        .await
    }
}

/// Returns the checksum of the object that the client declared, if any.
fn declared_checksum(declared: ChecksumFields<'_>) -> S3Result<Option<Checksum>> {
    let mut found = declared.into_iter().filter_map(|(algorithm, value)| {
        let value = value?.clone();
        Some(Checksum { algorithm, value })
    });
    match (found.next(), found.next()) {
        (declared, None) => Ok(declared),
        _ => Err(s3_error!(
            InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )),
    }
}
