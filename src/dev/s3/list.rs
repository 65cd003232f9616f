//! ListObjectsV2.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{ChecksumAlgorithm, StorageClass};
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsV2Input, ListObjectsV2Output, Object as Listed,
    ObjectStorageClass,
};
use s3s::{S3Response, S3Result, s3_error};

use super::index::{Position, Query};
use super::object::Object;
use super::store::{Store, blocking};

/// The largest page that S3 returns.
const MAX_KEYS: i32 = 1000;

/// The characters that S3 escapes with `encoding-type=url`: all except the unreserved characters and the
/// slash.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

pub(super) async fn list_objects_v2(
    store: &Store,
    input: ListObjectsV2Input,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let max_keys = input.max_keys.unwrap_or(MAX_KEYS).min(MAX_KEYS);
    let max = usize::try_from(max_keys).map_err(|_| {
        s3_error!(
            InvalidArgument,
            "Argument maxKeys must be an integer between 0 and 2147483647"
        )
    })?;
    let after = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => decode(token)?,
        (None, Some(key)) => Position::Key(key.clone()),
        (None, None) => Position::Start,
    };
    let (index, bucket) = (store.clone(), input.bucket.clone());
    let (prefix, delimiter) = (
        input.prefix.clone().unwrap_or_default(),
        input.delimiter.clone(),
    );
    let page = blocking(move || {
        let query = Query {
            bucket: &bucket,
            prefix: &prefix,
            delimiter: delimiter.as_deref(),
            after,
            max,
        };
        index.index().page(&query)
    })
    .await?;

    let encoding = KeyEncoding::requested(input.encoding_type.as_ref());
    let contents: Vec<Listed> = page
        .objects
        .iter()
        .map(|(key, object)| listed(encoding.encode(key), object))
        .collect();
    let prefixes = page.prefixes.iter().map(|prefix| CommonPrefix {
        prefix: Some(encoding.encode(prefix)),
    });
    let common_prefixes: Vec<CommonPrefix> = prefixes.collect();
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encoding.encode(input.prefix.as_deref().unwrap_or_default())),
        delimiter: input.delimiter.map(|delimiter| encoding.encode(&delimiter)),
        start_after: input.start_after.map(|key| encoding.encode(&key)),
        encoding_type: input.encoding_type,
        continuation_token: input.continuation_token,
        max_keys: Some(max_keys),
        key_count: i32::try_from(contents.len() + common_prefixes.len()).ok(),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_ref().map(encode),
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        request_charged: None,
    }))
}

fn listed(key: String, object: &Object) -> Listed {
    let class = object
        .attributes
        .storage_class
        .clone()
        .unwrap_or_else(|| StorageClass::STANDARD.to_owned());
    Listed {
        key: Some(key),
        size: i64::try_from(object.size).ok(),
        e_tag: Some(object.e_tag()),
        last_modified: Some(object.last_modified()),
        storage_class: Some(ObjectStorageClass::from(class)),
        checksum_algorithm: Some(vec![ChecksumAlgorithm::from_static(
            object.checksum.algorithm.name(),
        )]),
        checksum_type: Some(object.checksum.kind()),
        ..Listed::default()
    }
}

/// How keys are encoded in a response.
pub(super) struct KeyEncoding {
    /// Whether the request contains `encoding-type=url`.
    url: bool,
}

impl KeyEncoding {
    pub(super) fn requested(kind: Option<&EncodingType>) -> Self {
        let url = kind.is_some_and(|kind| kind.as_str() == EncodingType::URL);
        Self { url }
    }

    pub(super) fn encode(&self, text: &str) -> String {
        if self.url {
            escaped(text)
        } else {
            text.to_owned()
        }
    }
}

/// Escapes a key for the path of a URL.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Encodes a position as a continuation token, which is opaque to clients.
fn encode(position: &Position) -> String {
    URL_SAFE_NO_PAD.encode(match position {
        Position::Start => String::new(),
        Position::Key(key) => format!("k{key}"),
        Position::Prefix(prefix) => format!("p{prefix}"),
    })
}

fn decode(token: &str) -> S3Result<Position> {
    let text = URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let position = text.and_then(|text| match text.split_at_checked(1)? {
        ("k", key) => Some(Position::Key(key.to_owned())),
        ("p", prefix) => Some(Position::Prefix(prefix.to_owned())),
        _ => None,
    });
    position.ok_or_else(|| {
        s3_error!(
            InvalidArgument,
            "The continuation token provided is incorrect"
        )
    })
}
