//! Writes a local file as the object of a Pending upload, as a client does with the URLs of its
//! session.
//!
//! Nothing is decided here: whether the object is the declared one is found out by the acknowledge,
//! as for any client. If this fails or the process dies, the upload stays Pending, and the janitor
//! ends it.

use std::fs::File;
use std::sync::Arc;

use crate::domain::upload::Upload;
use crate::objects::sign::PutObject;
use crate::objects::write::{WriteParts, Written};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::parts::sign::plan;
use crate::usecases::uploads::session::{as_object, id_buffer, put_precondition, tagging};

/// Writes the first `size` bytes of `file` as the object of `upload`, in one request or in the
/// parts of its session. The position of the handle does not matter.
///
/// An upload in parts must have declared its size. If there is another object at the key already,
/// this succeeds: it may be the one that an earlier attempt has written. An acknowledge has to
/// follow, which shows whether it is.
pub async fn write(broker: &Broker, upload: &Upload, file: &Arc<File>, size: u64) -> Result<()> {
    let bucket = broker.bucket(&upload.bucket).await?;
    let Some(multipart) = &upload.multipart else {
        let mut id = id_buffer();
        let id = upload.id.hyphenated().encode_lower(&mut id);
        let tagging = tagging(upload);
        let object = PutObject {
            precondition: put_precondition(&bucket.objects, &upload.write).await?,
            ..as_object(upload, id, tagging.as_deref())
        };
        let written = bucket.objects.put_file(&object, file, size).await?;
        if !matches!(written, Written::Done { .. }) {
            log::info!("S3 does not accept the object of upload {id}: {written:?}");
        }
        return Ok(());
    };
    let plan = plan(upload, multipart)?;
    let parts = plan.parts(1..=plan.count().unwrap_or_default());
    let to = WriteParts {
        key: &upload.key,
        upload_id: &multipart.s3_upload_id,
        part_checksums: multipart.part_checksums,
    };
    if !bucket.objects.put_parts(&to, parts, file).await? {
        log::info!("upload {} takes no parts any more", upload.id);
    }
    Ok(())
}
