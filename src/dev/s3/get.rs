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
    let range = ByteRange::of(&object, input.range.as_ref(), input.part_number)?;
    let mut output = GetObjectOutput {
        tag_count: tag_count(&object)?,
        body: Some(StreamingBlob::wrap(read_range(file, range.bytes.clone()))),
        ..GetObjectOutput::default()
    };
    describe!(output, object, range, input.checksum_mode);
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
    let range = ByteRange::of(&object, input.range.as_ref(), input.part_number)?;
    let mut output = HeadObjectOutput::default();
    describe!(output, object, range, input.checksum_mode);
    let mut response = S3Response::new(output);
    if range.partial {
        response.status = Some(hyper::StatusCode::PARTIAL_CONTENT);
    }
    Ok(response)
}

/// Fills the fields that both outputs have. It is a macro, because s3s defines no common trait for them.
macro_rules! describe {
    ($output:ident, $object:ident, $range:ident, $mode:expr) => {{
        let attributes = &$object.attributes;
        $output.accept_ranges = Some("bytes".to_owned());
        $output.e_tag = Some($object.e_tag());
        $output.last_modified = Some($object.last_modified());
        $output.content_length = i64::try_from($range.len()).ok();
        $output.content_range = $range.header($object.size);
        $output.content_type = Some(
            attributes
                .content_type
                .clone()
                .unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned()),
        );
        $output.content_encoding = attributes.content_encoding.clone();
        $output.content_disposition = attributes.content_disposition.clone();
        $output.content_language = attributes.content_language.clone();
        $output.cache_control = attributes.cache_control.clone();
        $output.expires = attributes.expires.clone();
        $output.server_side_encryption =
            (attributes.server_side_encryption.clone()).map(ServerSideEncryption::from);
        $output.storage_class = shown_storage_class(&$object).map(StorageClass::from);
        $output.metadata = Some(attributes.metadata.clone().into_iter().collect());
        // The checksum of the whole object does not apply to a range, so S3 omits it then.
        if $mode.is_some_and(|mode| mode.as_str() == "ENABLED") && !$range.partial {
            fill_checksum!($output, $object.checksum);
        }
    }};
}
use describe;

/// The content type that S3 returns for an object without one.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// Returns the storage class; `None` for STANDARD, for which S3 omits the header.
fn shown_storage_class(object: &Object) -> Option<String> {
    object
        .attributes
        .storage_class
        .clone()
        .filter(|class| class != StorageClass::STANDARD)
}

fn tag_count(object: &Object) -> S3Result<Option<i32>> {
    let tags = tags::parse(object.attributes.tagging.as_deref().unwrap_or_default())?;
    Ok(i32::try_from(tags.len()).ok().filter(|count| *count > 0))
}

/// The requested bytes of an object.
struct ByteRange {
    bytes: ops::Range<u64>,
    partial: bool,
}

impl ByteRange {
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

    /// Returns the value of `Content-Range`, if only a range was requested.
    fn header(&self, size: u64) -> Option<String> {
        let last = self.bytes.end.saturating_sub(1);
        self.partial
            .then(|| format!("bytes {}-{last}/{size}", self.bytes.start))
    }
}

/// Reads a range of a file, one chunk at a time.
fn read_range(
    file: File,
    range: ops::Range<u64>,
) -> impl futures::Stream<Item = io::Result<Bytes>> + Send + Sync {
    stream::try_unfold((file, range), |(mut file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let read = move || {
            let wanted = usize::try_from(range.end - range.start)
                .unwrap_or(CHUNK)
                .min(CHUNK);
            let mut chunk = vec![0; wanted];
            file.seek(SeekFrom::Start(range.start))?;
            file.read_exact(&mut chunk)?;
            let next = range
                .start
                .saturating_add(u64::try_from(wanted).unwrap_or(0));
            Ok(Some((Bytes::from(chunk), (file, next..range.end))))
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(io::Error::other)?
    })
}
