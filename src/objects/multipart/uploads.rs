//! ListMultipartUploads: multipart uploads that are neither completed nor aborted.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::EncodingType;
use chrono::{DateTime, Utc};

use super::error::{NO_SUCH_UPLOAD, invalid_response};
use crate::objects::head::timestamp;
use crate::objects::list::decoded;
use crate::objects::store::{ObjectStore, StoreError, failed};

/// An open multipart upload. Its parts are billed until it is completed or aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUpload {
    /// The key of the object.
    pub key: String,
    /// The id of the multipart upload.
    pub upload_id: String,
    /// When it was created.
    pub initiated: DateTime<Utc>,
}

/// The position at which a page ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadsMarker {
    /// The key of the last upload of the page.
    pub key: String,
    /// The id of the last upload of the page.
    pub upload_id: String,
}

/// A page of open multipart uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUploadsPage {
    /// The uploads, in the order of their keys.
    pub uploads: Vec<OpenUpload>,
    /// The end of this page; `None` on the last page.
    pub next: Option<UploadsMarker>,
}

impl ObjectStore {
    /// Returns a page of at most `limit` open uploads (1,000 on AWS) for keys that start with
    /// `prefix`, after the end of the previous page.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the store lacks this listing or denies it, or the store does not
    /// answer.
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
            // Keys may have characters that XML does not allow. Without encoding, one such key
            // would make the whole page unreadable.
            .encoding_type(EncodingType::Url);
        let output = match self.timed("ListMultipartUploads", call.send()).await {
            Ok(output) => output,
            // The answer of rclone if no upload is open.
            Err(error) if error.code() == Some(NO_SUCH_UPLOAD) => {
                return Ok(OpenUploadsPage {
                    uploads: Vec::new(),
                    next: None,
                });
            }
            Err(error) => return Err(failed("ListMultipartUploads", error)),
        };
        // A store that does not support the encoding does not return the parameter.
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
            // Some stores do not return the end of the page, which is then its last upload.
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
            next.ok_or_else(|| {
                invalid_response("ListMultipartUploads", "the next page does not follow")
            })
        });
        Ok(OpenUploadsPage {
            next: next.transpose()?,
            uploads,
        })
    }
}
