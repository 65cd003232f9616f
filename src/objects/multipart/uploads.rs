//! ListMultipartUploads: what was begun and neither completed nor aborted.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::EncodingType;
use chrono::{DateTime, Utc};

use super::{NO_SUCH_UPLOAD, senseless};
use crate::objects::head::timestamp;
use crate::objects::list::decoded;
use crate::objects::store::{ObjectStore, StoreError, failed};

/// An upload that takes parts, or forgotten ones that cost money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUpload {
    /// The key of the object to be.
    pub key: String,
    /// S3's id of the upload.
    pub upload_id: String,
    /// When it was begun.
    pub initiated: DateTime<Utc>,
}

/// Where a page ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadsMarker {
    /// The key of its last upload.
    pub key: String,
    /// S3's id of its last upload.
    pub upload_id: String,
}

/// One page of uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUploadsPage {
    /// In the order of their keys.
    pub uploads: Vec<OpenUpload>,
    /// The end of this page, where another follows.
    pub next: Option<UploadsMarker>,
}

impl ObjectStore {
    /// One page of the open uploads of keys that start with `prefix`, at most `limit` (1,000 on
    /// AWS), behind the end of the page before. [`StoreError::Refused`] where the store has no such
    /// listing, or its policy hides it.
    pub async fn list_multipart(
        &self,
        prefix: &str,
        limit: u16,
        after: Option<&UploadsMarker>,
    ) -> Result<OpenUploadsPage, StoreError> {
        let call = (self.client.list_multipart_uploads())
            .bucket(self.bucket())
            .prefix(prefix)
            .max_uploads(i32::from(limit))
            .set_key_marker(after.map(|marker| marker.key.clone()))
            .set_upload_id_marker(after.map(|marker| marker.upload_id.clone()))
            // A key may hold characters that XML cannot: one such key would break its page.
            .encoding_type(EncodingType::Url);
        let output = match self.timed("ListMultipartUploads", call.send()).await {
            Ok(output) => output,
            // What rclone answers where none is open.
            Err(error) if error.code() == Some(NO_SUCH_UPLOAD) => {
                return Ok(OpenUploadsPage {
                    uploads: Vec::new(),
                    next: None,
                });
            }
            Err(error) => return Err(failed("ListMultipartUploads", error)),
        };
        // Stores that do not know the parameter do not repeat it.
        let encoded = output.encoding_type == Some(EncodingType::Url);
        let plain = |text| if encoded { decoded(text).0 } else { text };
        let uploads = output.uploads.unwrap_or_default().into_iter();
        let uploads: Vec<_> = uploads
            .filter_map(|upload| {
                Some(OpenUpload {
                    key: plain(upload.key?),
                    upload_id: upload.upload_id?,
                    initiated: timestamp(&upload.initiated?),
                })
            })
            .collect();
        let next = (output.is_truncated == Some(true)).then(|| {
            // Some stores do not name the end of their page: it is its last upload then.
            let last = uploads.last();
            let key = (output.next_key_marker.filter(|key| !key.is_empty())).map(plain);
            let id = output.next_upload_id_marker.filter(|id| !id.is_empty());
            let next = UploadsMarker {
                key: key.or_else(|| last.map(|last| last.key.clone()))?,
                upload_id: (id.or_else(|| last.map(|last| last.upload_id.clone())))
                    .unwrap_or_default(),
            };
            Some(next).filter(|next| Some(next) != after)
        });
        let next = next.map(|next| {
            next.ok_or_else(|| senseless("ListMultipartUploads", "the next page is not behind"))
        });
        Ok(OpenUploadsPage {
            next: next.transpose()?,
            uploads,
        })
    }
}
