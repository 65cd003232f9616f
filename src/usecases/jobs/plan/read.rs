//! Reads the plan of a merge job, in bounded memory.

use futures::TryStreamExt as _;

use crate::domain::processing_plan::{MAX_PLAN_BYTES, ProcessingPlan};
use crate::domain::upload::Upload;
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::uploads::read_object;

/// Reads and parses the plan that is the dataset of `upload`. The inner error says what is wrong about
/// it.
pub(super) async fn read_plan(
    broker: &Broker,
    upload: &Upload,
    processor: &str,
) -> Result<Result<ProcessingPlan, String>> {
    let Some(object) = read_object::open(broker, upload).await? else {
        return Ok(Err("The upload has no proven object.".to_owned()));
    };
    if object.size > MAX_PLAN_BYTES {
        return Ok(Err(format!(
            "A processing plan has at most {MAX_PLAN_BYTES} bytes; this dataset has {}.",
            object.size
        )));
    }
    let chunks = object.bytes.try_fold(Vec::new(), async |mut bytes, chunk| {
        bytes.extend_from_slice(&chunk);
        Ok(bytes)
    });
    let bytes = chunks
        .await
        .map_err(|cause| Error::unavailable(Dependency::S3, cause))?;
    Ok(ProcessingPlan::parse(&bytes, processor))
}
