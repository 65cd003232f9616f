//! Object tags: validated when they are received, and returned by GetObjectTagging.

use s3s::dto::{GetObjectTaggingInput, GetObjectTaggingOutput, Tag};
use s3s::{S3Response, S3Result, s3_error};
use url::form_urlencoded;

use super::errors::only_null_version;
use super::store::{Store, blocking};

/// The limits of tags (S3 user guide, "Categorizing your storage using tags").
const MAX_TAGS: usize = 10;
const MAX_KEY_CHARS: usize = 128;
const MAX_VALUE_CHARS: usize = 256;

/// # Errors
/// More than ten tags, a tag that is too long, or a duplicate key.
pub(super) fn parse(tagging: &str) -> S3Result<Vec<(String, String)>> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for (key, value) in form_urlencoded::parse(tagging.as_bytes()) {
        if key.is_empty()
            || key.chars().count() > MAX_KEY_CHARS
            || value.chars().count() > MAX_VALUE_CHARS
        {
            return Err(s3_error!(
                InvalidTag,
                "The tag you have provided is not valid"
            ));
        }
        if tags.iter().any(|(known, _)| *known == key) {
            return Err(s3_error!(
                InvalidTag,
                "Cannot provide multiple Tags with the same key"
            ));
        }
        tags.push((key.into_owned(), value.into_owned()));
    }
    if tags.len() > MAX_TAGS {
        return Err(s3_error!(
            InvalidTag,
            "Object tags cannot be greater than 10"
        ));
    }
    Ok(tags)
}

pub(super) async fn get_object_tagging(
    store: &Store,
    input: GetObjectTaggingInput,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    only_null_version(input.version_id.as_deref())?;
    let index = store.clone();
    let object = blocking(move || index.index().get(&input.bucket, &input.key)).await?;
    let tags = parse(object.attributes.tagging.as_deref().unwrap_or_default())?;
    let tag_set = tags
        .into_iter()
        .map(|(key, value)| Tag {
            key: Some(key),
            value: Some(value),
        })
        .collect();
    Ok(S3Response::new(GetObjectTaggingOutput {
        tag_set,
        version_id: None,
    }))
}
