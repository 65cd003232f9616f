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
    /// Bytes.
    pub size: u64,
    /// With its quotes.
    pub etag: String,
    /// When it was written.
    pub last_modified: DateTime<Utc>,
}

/// One page.
#[derive(Clone, Debug)]
pub struct ListingPage {
    /// In key order.
    pub objects: Vec<ListedObject>,
    /// In key order, each ending with `/`.
    pub folders: Vec<String>,
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
                return Err(StoreError::UnknownToken);
            }
            Err(error) => return Err(failed("ListObjectsV2", error)),
        };
        // Stores that do not know the parameter do not repeat it.
        let encoded = output.encoding_type == Some(EncodingType::Url);
        let plain = |text| if encoded { decoded(text) } else { text };
        let objects = output.contents.unwrap_or_default().into_iter();
        let folders = output.common_prefixes.unwrap_or_default().into_iter();
        Ok(ListingPage {
            objects: objects
                .filter_map(|object| {
                    Some(ListedObject {
                        key: plain(object.key?),
                        size: object.size.and_then(|size| u64::try_from(size).ok())?,
                        etag: object.e_tag.unwrap_or_default(),
                        last_modified: timestamp(&object.last_modified?),
                    })
                })
                .collect(),
            folders: folders
                .filter_map(|folder| folder.prefix.map(plain))
                .collect(),
            next: output.next_continuation_token,
        })
    }
}

/// S3 encodes keys as forms are: a space is a plus.
pub(super) fn decoded(key: String) -> String {
    if !key.contains(['%', '+']) {
        return key;
    }
    let spaced = key.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
