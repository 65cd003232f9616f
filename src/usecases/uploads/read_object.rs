//! Reads the proven object of an upload, for the work that is done on it.
//!
//! What is read is the proven version, or nothing: see [`crate::objects::read`] for the faults.

use std::io;

use bytes::Bytes;
use futures::TryStreamExt as _;
use futures::stream::BoxStream;

use crate::domain::upload::Upload;
use crate::objects::read::{ReadError, ReadObject};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The bytes of a proven object. Nothing is requested before the stream is polled.
pub struct ObjectBytes {
    /// The size in bytes. The stream has exactly as many, or ends with an error.
    pub size: u64,
    /// The bytes, in chunks of some megabytes.
    pub bytes: BoxStream<'static, io::Result<Bytes>>,
}

/// Opens the proven object of an upload; `None` if the upload has none.
pub async fn open(broker: &Broker, upload: &Upload) -> Result<Option<ObjectBytes>> {
    let Some(proven) = &upload.object else {
        return Ok(None);
    };
    let bucket = broker.bucket(&upload.bucket).await?;
    let read = bucket.objects.read(ReadObject {
        key: upload.key.clone(),
        etag: proven.etag.clone(),
        version_id: proven.version_id.clone(),
        size: proven.size,
    });
    Ok(Some(ObjectBytes {
        size: proven.size,
        bytes: Box::pin(read.map_err(io::Error::from)),
    }))
}

/// Whether the object of an upload is still the proven one. A version never changes, so nothing is
/// requested where the bucket keeps versions.
pub async fn is_unchanged(broker: &Broker, upload: &Upload) -> Result<bool> {
    let Some(proven) = &upload.object else {
        return Ok(false);
    };
    if proven.version_id.is_some() {
        return Ok(true);
    }
    let bucket = broker.bucket(&upload.bucket).await?;
    let found = bucket.objects.head(&upload.key).await?;
    Ok(found.is_some_and(|found| found.etag == proven.etag))
}

/// Whether a stream ended because the proven object was replaced or removed. No retry will find it.
pub fn is_gone(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(ReadError::Changed | ReadError::Missing))
}
