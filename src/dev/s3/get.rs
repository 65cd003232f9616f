//! GetObject and HeadObject.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops;

use bytes::Bytes;
use futures::stream;
use s3s::dto::{
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, Range,
    ServerSideEncryption, StorageClass, StreamingBlob,
};
use s3s::{S3Response, S3Result, s3_error};

use super::bodies::CHUNK;
use super::condition::{ReadConditions, not_modified};
use super::errors::only_null_version;
use super::fields::fill_checksum;
use super::object::Object;
use super::store::{Store, blocking};
use super::tags;

pub(super) async fn get_object(
    store: &Store,
    input: GetObjectInput,
) -> S3Result<S3Response<GetObjectOutput>> {
    only_null_version(input.version_id.as_deref())?;
    let (index, bucket, key) = (store.clone(), input.bucket.clone(), input.key.clone());
    let (object, file) = blocking(move || index.open_body(&bucket, &key)).await?;
    let conditions = ReadConditions {
        if_match: input.if_match.as_ref(),
        if_none_match: input.if_none_match.as_ref(),
        if_modified_since: input.if_modified_since.as_ref(),
        if_unmodified_since: input.if_unmodified_since.as_ref(),
    };
    conditions.check(&object, not_modified)?;
    let span = Span::of(&object, input.range.as_ref(), input.part_number)?;
    let mut output = GetObjectOutput {
        tag_count: tag_count(&object)?,
        body: Some(StreamingBlob::wrap(read_span(file, span.bytes.clone()))),
        ..GetObjectOutput::default()
    };
    describe!(output, object, span, input.checksum_mode);
    Ok(S3Response::new(output))
}

pub(super) async fn head_object(
    store: &Store,
    input: HeadObjectInput,
) -> S3Result<S3Response<HeadObjectOutput>> {
    only_null_version(input.version_id.as_deref())?;
    let (index, bucket, key) = (store.clone(), input.bucket.clone(), input.key.clone());
    let object = blocking(move || index.index().get(&bucket, &key)).await?;
    let conditions = ReadConditions {
        if_match: input.if_match.as_ref(),
        if_none_match: input.if_none_match.as_ref(),
        if_modified_since: input.if_modified_since.as_ref(),
        if_unmodified_since: input.if_unmodified_since.as_ref(),
    };
    conditions.check(&object, not_modified)?;
    let span = Span::of(&object, input.range.as_ref(), input.part_number)?;
    let mut output = HeadObjectOutput::default();
    describe!(output, object, span, input.checksum_mode);
    let mut response = S3Response::new(output);
    if span.partial {
        response.status = Some(hyper::StatusCode::PARTIAL_CONTENT);
    }
    Ok(response)
}

/// Fills the fields that both outputs have. A macro, because s3s gives them no trait in common.
macro_rules! describe {
    ($output:ident, $object:ident, $span:ident, $mode:expr) => {{
        let about = &$object.about;
        $output.accept_ranges = Some("bytes".to_owned());
        $output.e_tag = Some($object.e_tag());
        $output.last_modified = Some($object.last_modified());
        $output.content_length = i64::try_from($span.len()).ok();
        $output.content_range = $span.header($object.size);
        $output.content_type = Some(
            about
                .content_type
                .clone()
                .unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned()),
        );
        $output.content_encoding = about.content_encoding.clone();
        $output.content_disposition = about.content_disposition.clone();
        $output.content_language = about.content_language.clone();
        $output.cache_control = about.cache_control.clone();
        $output.expires = about.expires.clone();
        $output.server_side_encryption =
            (about.server_side_encryption.clone()).map(ServerSideEncryption::from);
        $output.storage_class = shown_storage_class(&$object).map(StorageClass::from);
        $output.metadata = Some(about.metadata.clone().into_iter().collect());
        // A checksum of the whole says nothing about a part: S3 leaves it out then.
        if $mode.is_some_and(|mode| mode.as_str() == "ENABLED") && !$span.partial {
            fill_checksum!($output, $object.checksum);
        }
    }};
}
use describe;

/// What S3 says of an object that came without a type.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// S3 leaves the header out for STANDARD.
fn shown_storage_class(object: &Object) -> Option<String> {
    object
        .about
        .storage_class
        .clone()
        .filter(|class| class != StorageClass::STANDARD)
}

fn tag_count(object: &Object) -> S3Result<Option<i32>> {
    let tags = tags::parse(object.about.tagging.as_deref().unwrap_or_default())?;
    Ok(i32::try_from(tags.len()).ok().filter(|count| *count > 0))
}

/// The bytes asked for.
struct Span {
    bytes: ops::Range<u64>,
    partial: bool,
}

impl Span {
    fn of(object: &Object, range: Option<&Range>, part: Option<i32>) -> S3Result<Self> {
        if part.is_some() && object.is_multipart() {
            return Err(s3_error!(
                NotImplemented,
                "Reading one part of an object is not implemented"
            ));
        }
        if part.is_some_and(|part| part != 1) {
            return Err(s3_error!(
                InvalidRange,
                "The requested partnumber is not satisfiable"
            ));
        }
        match range {
            None => Ok(Self {
                bytes: 0..object.size,
                partial: false,
            }),
            Some(range) => Ok(Self {
                bytes: range.check(object.size)?,
                partial: true,
            }),
        }
    }

    fn len(&self) -> u64 {
        self.bytes.end.saturating_sub(self.bytes.start)
    }

    /// `Content-Range`, of a part.
    fn header(&self, size: u64) -> Option<String> {
        let last = self.bytes.end.saturating_sub(1);
        self.partial
            .then(|| format!("bytes {}-{last}/{size}", self.bytes.start))
    }
}

/// The bytes of a file, a chunk at a time.
fn read_span(
    file: File,
    span: ops::Range<u64>,
) -> impl futures::Stream<Item = io::Result<Bytes>> + Send + Sync {
    stream::try_unfold((file, span), |(mut file, span)| async move {
        if span.is_empty() {
            return Ok(None);
        }
        let read = move || {
            let wanted = usize::try_from(span.end - span.start)
                .unwrap_or(CHUNK)
                .min(CHUNK);
            let mut chunk = vec![0; wanted];
            file.seek(SeekFrom::Start(span.start))?;
            file.read_exact(&mut chunk)?;
            let next = span
                .start
                .saturating_add(u64::try_from(wanted).unwrap_or(0));
            Ok(Some((Bytes::from(chunk), (file, next..span.end))))
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(io::Error::other)?
    })
}
