//! Listing: pages of ListObjectsV2.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::EncodingType;
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;

use super::head::timestamp;
use super::store::{ObjectStore, StoreError, failed};

/// Which objects.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// Keys that start like this.
    pub prefix: &'a str,
    /// Roll keys up at the next `/` after the prefix.
    pub folders: bool,
    /// At most this many entries, objects and folders together.
    pub limit: u16,
    /// Where the last page ended.
    pub token: Option<&'a str>,
    /// Only keys behind this one. Directory buckets do not know it.
    pub after: Option<&'a str>,
}

/// An object, as a listing shows it.
#[derive(Clone, Debug)]
pub struct ListedObject {
    /// The whole key.
    pub key: String,
    /// Whether that is the key itself: one that is not UTF-8 is shown with other characters in
    /// place of its bytes, and may be spelled like the key of another object.
    pub is_exact: bool,
    /// Bytes.
    pub size: u64,
    /// With its quotes.
    pub etag: String,
    /// When it was written.
    pub last_modified: DateTime<Utc>,
}

/// What keys have in common up to a slash.
#[derive(Clone, Debug)]
pub struct ListedFolder {
    /// With the slash at its end.
    pub key: String,
    /// As of an object.
    pub is_exact: bool,
}

/// One page.
#[derive(Clone, Debug)]
pub struct ListingPage {
    /// In key order.
    pub objects: Vec<ListedObject>,
    /// In key order.
    pub folders: Vec<ListedFolder>,
    /// The token of the next page.
    pub next: Option<String>,
}

impl ObjectStore {
    /// One page of keys. The store holds the place; nothing is kept here between pages.
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
            // A key may hold characters that XML cannot: one such key would break its page.
            .encoding_type(EncodingType::Url)
            .send();
        let output = match self.timed("ListObjectsV2", call).await {
            Ok(output) => output,
            Err(error) if listing.token.is_some() && error.code() == Some("InvalidArgument") => {
                return Err(StoreError::UnknownContinuationToken);
            }
            Err(error) => return Err(failed("ListObjectsV2", error)),
        };
        // Stores that do not know the parameter do not repeat it.
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

/// The key, and whether it is UTF-8. S3 encodes keys as forms are: a space is a plus.
pub(super) fn decoded(key: String) -> (String, bool) {
    if !key.contains(['%', '+']) {
        return (key, true);
    }
    let spaced = key.replace('+', " ");
    let bytes: Vec<u8> = percent_decode_str(&spaced).collect();
    match String::from_utf8(bytes) {
        Ok(key) => (key, true),
        Err(error) => (
            String::from_utf8_lossy(error.as_bytes()).into_owned(),
            false,
        ),
    }
}
