//! AbortMultipartUpload.

use super::is_no_such_upload;
use crate::objects::store::{ObjectStore, StoreError, failed};

impl ObjectStore {
    /// Ends an upload and frees its parts. One that is not there has ended already: success.
    ///
    /// A part that is under way meanwhile may still arrive and stay; [`list_parts`] tells, and
    /// aborting again removes it ("AbortMultipartUpload", S3 API reference).
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
