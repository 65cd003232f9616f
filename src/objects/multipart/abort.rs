//! AbortMultipartUpload.

use super::error::is_no_such_upload;
use crate::objects::store::{ObjectStore, StoreError, failed};

impl ObjectStore {
    /// Aborts a multipart upload and frees its parts. Succeeds if it does not exist any more.
    ///
    /// A part that is being sent at the same time may still arrive and be kept; [`list_parts`]
    /// shows it, and aborting again removes it ("AbortMultipartUpload", S3 API reference).
    ///
    /// # Errors
    /// The store does not answer, or refuses the request.
    ///
    /// [`list_parts`]: ObjectStore::list_parts
    pub async fn abort_multipart(&self, key: &str, upload_id: &str) -> Result<(), StoreError> {
        let call = (self.client.abort_multipart_upload())
            .bucket(self.bucket())
            .key(key)
            .upload_id(upload_id);
        match self.timed("AbortMultipartUpload", call.send()).await {
            Err(error) if !is_no_such_upload(&error) => Err(failed("AbortMultipartUpload", error)),
            _ => Ok(()),
        }
    }
}
