//! CompleteMultipartUpload.

use hyper::header::HOST;
use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::checksum::{Checksum, Declared};
use super::super::commit::keep_if_named;
use super::super::condition::Condition;
use super::super::errors::{Fault, internal};
use super::super::events::EventName;
use super::super::fields::{declared_checksums, fill_checksum};
use super::super::list::escaped;
use super::super::object::{About, Object, now, to_millis};
use super::super::put::refuse_early;
use super::super::store::{Store, blocking};
use super::join::{Joined, join};
use super::plan::Plan;
use super::{Place, Sum};

/// A part can be replaced between our look at the index and the swap; then we look again. More
/// rounds than this is no race.
const ROUNDS: usize = 16;

pub(in crate::dev::s3) async fn complete(
    store: &Store,
    req: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = req.input;
    let asked = Asked {
        place: Place::of(&input.bucket, &input.key, &input.upload_id)?,
        condition: Condition::of_write(input.if_match.as_ref(), input.if_none_match.as_ref())?,
        promised: promised(declared_checksums!(input))?,
        kind: input.checksum_type.map(|kind| kind.as_str().to_owned()),
        size: input.mpu_object_size,
        parts: input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default(),
    };
    let object = asked.complete(store).await?;
    let host = req.headers.get(HOST).and_then(|host| host.to_str().ok());
    let mut output = CompleteMultipartUploadOutput {
        location: host
            .map(|host| format!("http://{host}/{}/{}", input.bucket, escaped(&input.key))),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(object.e_tag()),
        server_side_encryption: (object.about.server_side_encryption.clone()).map(Into::into),
        ..CompleteMultipartUploadOutput::default()
    };
    fill_checksum!(output, object.checksum);
    Ok(S3Response::new(output))
}

struct Asked {
    place: Place,
    condition: Condition,
    promised: Option<Checksum>,
    kind: Option<String>,
    size: Option<i64>,
    parts: Vec<CompletedPart>,
}

impl Asked {
    async fn complete(&self, store: &Store) -> S3Result<Object> {
        for _ in 0..ROUNDS {
            let (index, place) = (store.clone(), self.place.clone());
            let (upload, present) =
                blocking(move || index.index().upload_with_parts(&place)).await?;
            let sum = upload.sum();
            let plan = Plan::of(&self.parts, &present, sum)?;
            self.check(&plan, sum)?;
            refuse_early(store, &self.place.bucket, &self.place.key, &self.condition).await?;
            let (joining, parts) = (store.clone(), plan.parts.clone());
            let Some(joined) = blocking(move || join(&joining, &parts, sum)).await? else {
                continue;
            };
            self.check_sum(&joined.checksum)?;
            if let Some(object) = self.swap(store, plan, joined, upload.about).await? {
                return Ok(object);
            }
        }
        Err(internal(&std::io::Error::other(
            "the parts of an upload change all the time",
        )))
    }

    fn check(&self, plan: &Plan, sum: Sum) -> S3Result<()> {
        if self
            .size
            .is_some_and(|size| u64::try_from(size) != Ok(plan.size()))
        {
            return Err(s3_error!(
                InvalidRequest,
                "The provided 'x-amz-mp-object-size' header value does not match what was computed."
            ));
        }
        let other_kind = self
            .kind
            .as_ref()
            .is_some_and(|kind| kind != sum.kind().as_str());
        let promised = self.promised.as_ref().map(|promised| promised.algorithm);
        if other_kind || promised.is_some_and(|algorithm| algorithm != sum.algorithm) {
            return Err(s3_error!(
                InvalidRequest,
                "The upload has a {} checksum of the type {}.",
                sum.algorithm.name(),
                sum.kind().as_str()
            ));
        }
        Ok(())
    }

    /// The client may leave out the number of parts of a composite checksum.
    fn check_sum(&self, computed: &Checksum) -> S3Result<()> {
        let Some(promised) = &self.promised else {
            return Ok(());
        };
        let (digest, _) = computed
            .value
            .split_once('-')
            .unwrap_or((&computed.value, ""));
        if promised.value == computed.value || promised.value == digest {
            return Ok(());
        }
        Err(s3_error!(
            BadDigest,
            "The {} you specified did not match the calculated checksum.",
            computed.algorithm.name()
        ))
    }

    /// `None` when the parts are not the planned ones any more.
    async fn swap(
        &self,
        store: &Store,
        plan: Plan,
        joined: Joined,
        about: About,
    ) -> S3Result<Option<Object>> {
        let object = Object {
            body: joined.draft.id(),
            size: plan.size(),
            etag: plan.etag(),
            modified_ms: to_millis(now()),
            checksum: joined.checksum,
            about,
        };
        let (store, place, condition) = (store.clone(), self.place.clone(), self.condition.clone());
        blocking(move || {
            let planned = plan.numbers.iter().copied().zip(&plan.parts);
            let swapped = store
                .index()
                .complete_upload(&place, planned, &object, &condition);
            let change = match swapped {
                Ok(None) => return Ok(None),
                Ok(Some(change)) => keep_if_named(joined.draft, Ok(change))?,
                Err(fault) => keep_if_named(joined.draft, Err::<_, Fault>(fault))?,
            };
            store.remove_bodies(&change.orphans);
            let (bucket, key) = (&place.bucket, &place.key);
            store.tell(
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

/// The checksum of the object that the client expects, if it named one.
fn promised(declared: Declared<'_>) -> S3Result<Option<Checksum>> {
    let mut found = declared.into_iter().filter_map(|(algorithm, value)| {
        let value = value?.clone();
        Some(Checksum { algorithm, value })
    });
    match (found.next(), found.next()) {
        (promised, None) => Ok(promised),
        _ => Err(s3_error!(
            InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )),
    }
}
