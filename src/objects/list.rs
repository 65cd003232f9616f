//! Listings: pages of ListObjectsV2.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::EncodingType;
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;

use super::head::timestamp;
use super::store::{ObjectStore, StoreError, failed};

/// The parameters of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// Only keys that start with this.
    pub prefix: &'a str,
    /// Whether to group keys by the next `/` after the prefix.
    pub folders: bool,
    /// The most entries, which are objects and folders.
    pub limit: u16,
    /// The continuation token of the previous page.
    pub token: Option<&'a str>,
    /// Only keys after this one. Directory buckets do not support it.
    pub after: Option<&'a str>,
}

/// An object in a listing.
#[derive(Clone, Debug)]
pub struct ListedObject {
    /// The full key.
    pub key: String,
    /// Whether `key` is the exact key. A key that is not UTF-8 is returned with replacement
    /// characters, and may look like the key of another object.
    pub is_exact: bool,
    /// The size in bytes.
    pub size: u64,
    /// The ETag with its quotes.
    pub etag: String,
    /// When the object was written.
    pub last_modified: DateTime<Utc>,
}

/// A folder: the common prefix of keys up to a slash.
#[derive(Clone, Debug)]
pub struct ListedFolder {
    /// The prefix, with a trailing slash.
    pub key: String,
    /// As [`ListedObject::is_exact`].
    pub is_exact: bool,
}

/// A page of a listing.
#[derive(Clone, Debug)]
pub struct ListingPage {
    /// The objects, in the order of their keys.
    pub objects: Vec<ListedObject>,
    /// The folders, in the order of their keys.
    pub folders: Vec<ListedFolder>,
    /// The continuation token of the next page; `None` on the last page.
    pub next: Option<String>,
}

impl ObjectStore {
    /// Returns a page of keys. The continuation token holds the whole state between pages.
    ///
    /// # Errors
    /// The store does not answer, refuses the request, or does not know the continuation token.
    pub async fn list(&self, listing: Listing<'_>) -> Result<ListingPage, StoreError> {
        let call = self
            .client
            .list_objects_v2()
            .bucket(self.bucket())
            .prefix(listing.prefix)
            .set_delimiter(listing.folders.then(|| "/".to_owned()))
            .max_keys(i32::from(listing.limit))
            .set_continuation_token(listing.token.map(str::to_owned))
            .set_start_after(listing.after.map(str::to_owned))
            // Keys may have characters that XML does not allow. Without encoding, one such key
            // would make the whole page unreadable.
            .encoding_type(EncodingType::Url)
            .send();
        let output = match self.timed("ListObjectsV2", call).await {
            Ok(output) => output,
            Err(error) if listing.token.is_some() && error.code() == Some("InvalidArgument") => {
                return Err(StoreError::UnknownContinuationToken);
            }
            Err(error) => return Err(failed("ListObjectsV2", error)),
        };
        // A store that does not support the encoding does not return the parameter.
        let encoded = output.encoding_type == Some(EncodingType::Url);
        let plain = |text| match encoded {
            true => decoded(text),
            false => (text, true),
        };
        let objects = output.contents.unwrap_or_default().into_iter();
        let folders = output.common_prefixes.unwrap_or_default().into_iter();
        Ok(ListingPage {
            objects: objects
                .filter_map(|object| {
                    let (key, is_exact) = plain(object.key?);
                    Some(ListedObject {
                        key,
                        is_exact,
                        size: object.size.and_then(|size| u64::try_from(size).ok())?,
                        etag: object.e_tag.unwrap_or_default(),
                        last_modified: timestamp(&object.last_modified?),
                    })
                })
                .collect(),
            folders: folders
                .filter_map(|folder| {
                    let (key, is_exact) = plain(folder.prefix?);
                    Some(ListedFolder { key, is_exact })
                })
                .collect(),
            next: output.next_continuation_token,
        })
    }
}

/// Decodes a key, and returns whether it is valid UTF-8. S3 encodes keys like form data, with a
/// plus for a space.
pub(super) fn decoded(key: String) -> (String, bool) {
    if !key.contains(['%', '+']) {
        return (key, true);
    }
    let with_spaces = key.replace('+', " ");
    let bytes: Vec<u8> = percent_decode_str(&with_spaces).collect();
    match String::from_utf8(bytes) {
        Ok(key) => (key, true),
        Err(error) => (
            String::from_utf8_lossy(error.as_bytes()).into_owned(),
            false,
        ),
    }
}
