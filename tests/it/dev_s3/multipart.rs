//! Multipart uploads: what S3's own client builds from parts, and what must not become an object.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::operation::upload_part::builders::UploadPartFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::{BUCKET, TestStore};

mod checksums;
mod listing;
mod part_copies;
mod races;
mod refusals;
mod round_trip;

/// The minimum size of every part except the last.
const FIVE_MIB: usize = 5 << 20;
const KEY: &str = "big file";

/// An upload of [`KEY`].
struct Upload<'a> {
    store: &'a TestStore,
    id: String,
}

impl<'a> Upload<'a> {
    /// An upload without declared checksums.
    async fn begin(store: &'a TestStore) -> Upload<'a> {
        let create = store.s3.create_multipart_upload().bucket(BUCKET).key(KEY);
        let made = create.send().await.expect("an upload");
        Upload {
            store,
            id: made.upload_id().expect("its id").to_owned(),
        }
    }

    fn part(&self, number: i32, bytes: Vec<u8>) -> UploadPartFluentBuilder {
        let part = self.store.s3.upload_part().bucket(BUCKET).key(KEY);
        let part = part.upload_id(&self.id).part_number(number);
        part.body(ByteStream::from(bytes))
    }

    /// Uploads a part and returns its entry for the completion.
    async fn send(&self, number: i32, bytes: Vec<u8>) -> CompletedPart {
        let sent = self.part(number, bytes).send().await;
        named(
            number,
            &sent.unwrap_or_else(|error| panic!("part {number}: {error:?}")),
        )
    }

    fn complete(&self, parts: Vec<CompletedPart>) -> CompleteMultipartUploadFluentBuilder {
        let complete = self.store.s3.complete_multipart_upload().bucket(BUCKET);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
        let complete = complete.key(KEY).upload_id(&self.id);
        complete.multipart_upload(parts.build())
    }

    /// Completes the upload and expects success.
    async fn finish(&self, parts: Vec<CompletedPart>) -> CompleteMultipartUploadOutput {
        let done = self.complete(parts).send().await;
        done.unwrap_or_else(|error| panic!("the completion: {error:?}"))
    }

    /// The error code of a completion that is refused.
    async fn refused(&self, parts: Vec<CompletedPart>) -> String {
        code(self.complete(parts)).await
    }
}

async fn code(complete: CompleteMultipartUploadFluentBuilder) -> String {
    let error = complete.send().await.expect_err("a refusal");
    error
        .code()
        .map_or_else(|| format!("no code in {error:?}"), str::to_owned)
}

fn named(number: i32, sent: &UploadPartOutput) -> CompletedPart {
    CompletedPart::builder()
        .part_number(number)
        .set_e_tag(sent.e_tag().map(str::to_owned))
        .set_checksum_crc32(sent.checksum_crc32().map(str::to_owned))
        .set_checksum_sha256(sent.checksum_sha256().map(str::to_owned))
        .build()
}

fn with_etag(number: i32, etag: &str) -> CompletedPart {
    CompletedPart::builder()
        .part_number(number)
        .e_tag(etag)
        .build()
}
