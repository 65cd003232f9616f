//! Finds the results of the inputs of a plan.

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::job::JobOutput;
use crate::domain::processing_plan::ProcessingPlan;
use crate::domain::upload::Upload;
use crate::store::jobs::PlannedJob;
use crate::store::{Connection, uploads};
use crate::usecases::error::Result;

/// Returns the uploads of the first result of each input, in the order of the plan. The inner error
/// names an input whose result is not the one that its job has written.
pub(super) async fn find_results(
    connection: &mut Connection,
    tenant: &str,
    plan: &ProcessingPlan,
    jobs: &HashMap<Uuid, PlannedJob>,
) -> Result<Result<Vec<Upload>, String>> {
    let output = |id: &Uuid| -> Option<&JobOutput> { jobs.get(id)?.output.as_ref() };
    let paths: Vec<&str> = (plan.inputs.iter())
        .filter_map(|input| output(&input.upload_id))
        .map(|output| &*output.path)
        .collect();
    let found = uploads::find_acknowledged(connection, tenant, &paths).await?;
    let mut found: HashMap<String, Upload> = (found.into_iter())
        .map(|upload| (upload.path.as_str().to_owned(), upload))
        .collect();
    let mut results = Vec::with_capacity(plan.inputs.len());
    for input in &plan.inputs {
        let result = output(&input.upload_id)
            .and_then(|output| Some((found.remove(&output.path)?, output)))
            .filter(|(upload, output)| {
                let object = upload.object.as_ref();
                upload.derived_from == Some(input.upload_id)
                    && object.is_some_and(|object| object.etag == output.etag)
            });
        let Some((result, _)) = result else {
            return Ok(Err(format!(
                "The result of {} on {} was replaced or deleted.",
                plan.processor, input.path
            )));
        };
        results.push(result);
    }
    Ok(Ok(results))
}

/// Adds the rows, and the bad rows, in the reports of the jobs.
pub(super) fn sum_of_reports(jobs: &HashMap<Uuid, PlannedJob>) -> Value {
    let (rows, bad_rows) = jobs.values().fold((0_u64, 0_u64), |(rows, bad), job| {
        (
            rows.saturating_add(job.rows.0),
            bad.saturating_add(job.rows.1),
        )
    });
    json!({"inputs": jobs.len(), "rows": rows, "bad_rows": bad_rows})
}
