//! UploadPart.

use s3s::dto::{ETag, UploadPartInput, UploadPartOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::checksum::Algorithm;
use super::super::commit::keep_if_named;
use super::super::declared;
use super::super::fields::{declared_checksums, fill_value};
use super::super::object::{now, to_millis};
use super::super::promise::Promise;
use super::super::receive::{Arrived, receive};
use super::super::store::{Store, blocking};
use super::{Part, Place, Upload};

/// S3 user guide, "Amazon S3 multipart upload limits".
const MAX_PART_NUMBER: u16 = 10_000;

pub(in crate::dev::s3) async fn upload_part(
    store: &Store,
    mut req: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let number = part_number(req.input.part_number)?;
    let promise = Promise::of(declared_checksums!(req.input), &req.headers)?;
    let md5 = declared::md5(req.input.content_md5.as_deref())?;
    if req.input.sse_customer_algorithm.is_some() {
        return Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented"
        ));
    }
    let size = declared::size(req.input.content_length, req.input.body.as_ref())?;
    let place = Place::of(&req.input.bucket, &req.input.key, &req.input.upload_id)?;
    let upload = find(store, &place).await?;
    let algorithm = algorithm(&upload, promise.algorithm())?;

    let arrived = receive(store, req.input.body.take(), size, algorithm).await?;
    let trailers = req.trailing_headers.and_then(|trailers| trailers.take());
    promise.check(&arrived.checksum, trailers.as_ref())?;
    arrived.check_md5(md5)?;

    let part = keep(store, place, number, arrived).await?;
    let mut output = UploadPartOutput {
        e_tag: Some(part.e_tag()),
        ..UploadPartOutput::default()
    };
    fill_value!(output, part.checksum);
    Ok(S3Response::new(output))
}

impl Part {
    pub(super) fn e_tag(&self) -> ETag {
        ETag::Strong(hex::encode(self.md5))
    }
}

pub(super) fn part_number(number: i32) -> S3Result<u16> {
    let valid = u16::try_from(number)
        .ok()
        .filter(|number| (1..=MAX_PART_NUMBER).contains(number));
    valid.ok_or_else(|| {
        s3_error!(
            InvalidArgument,
            "Part number must be an integer between 1 and 10000, inclusive"
        )
    })
}

/// What to hash the part with. An upload that named no algorithm takes any. One with a composite
/// checksum needs the client's for each part; for one of the full object we can do without.
fn algorithm(upload: &Upload, chosen: Option<Algorithm>) -> S3Result<Algorithm> {
    let Some(sum) = upload.sum else {
        return Ok(chosen.unwrap_or_default());
    };
    match chosen {
        Some(chosen) if chosen == sum.algorithm => Ok(chosen),
        None if !sum.composite => Ok(sum.algorithm),
        _ => Err(s3_error!(
            InvalidRequest,
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            sum.algorithm.name().to_ascii_lowercase(),
            chosen.map_or("null".to_owned(), |chosen| chosen
                .name()
                .to_ascii_lowercase())
        )),
    }
}

/// Before the bytes are read; the transaction looks again.
pub(super) async fn find(store: &Store, place: &Place) -> S3Result<Upload> {
    let (store, place) = (store.clone(), place.clone());
    blocking(move || store.index().upload(&place)).await
}

pub(super) async fn keep(
    store: &Store,
    place: Place,
    number: u16,
    arrived: Arrived,
) -> S3Result<Part> {
    let part = Part {
        body: arrived.draft.id(),
        size: arrived.size,
        md5: arrived.md5,
        modified_ms: to_millis(now()),
        checksum: arrived.checksum,
    };
    let store = store.clone();
    blocking(move || {
        let put = store.index().put_part(&place, number, &part);
        let replaced = keep_if_named(arrived.draft, put)?;
        store.remove_bodies(replaced.as_slice());
        Ok(part)
    })
    .await
}
