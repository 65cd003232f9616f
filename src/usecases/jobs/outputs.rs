//! Checks the outputs that a worker reports: each must be a dataset of the tenant.

use crate::domain::job::{JobOutput, MAX_OUTPUTS};
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, FieldError, Refusal};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::faults::Faults;

/// The largest number of bytes of the kind of an output.
const MAX_KIND_BYTES: usize = 64;

/// An output as a worker reports it.
#[derive(Clone, Debug)]
pub struct NewOutput {
    /// What it is, such as `text`.
    pub kind: String,
    /// The path of the dataset.
    pub path: String,
}

/// Validates outputs without calling S3, and returns their paths.
pub(super) fn validate(
    faults: &mut Faults,
    principal: &Principal,
    outputs: &[NewOutput],
) -> Vec<DatasetPath> {
    if outputs.len() > MAX_OUTPUTS {
        faults.add("/outputs", format!("has more than {MAX_OUTPUTS} entries"));
        return Vec::new();
    }
    let mut paths = Vec::with_capacity(outputs.len());
    for (index, output) in outputs.iter().enumerate() {
        let is_kind = !output.kind.is_empty()
            && output.kind.len() <= MAX_KIND_BYTES
            && !output.kind.chars().any(char::is_control);
        if !is_kind {
            let detail = format!("expected 1 to {MAX_KIND_BYTES} bytes without control characters");
            faults.add(&format!("/outputs/{index}/kind"), detail);
        }
        let path = DatasetPath::parse(&output.path)
            .and_then(|path| principal.jail.key(&path).map(|_| path));
        match path {
            Ok(path) => paths.push(path),
            Err(reason) => faults.add(&format!("/outputs/{index}/path"), reason.to_string()),
        }
    }
    paths
}

/// Reads each output with a HEAD. Refuses outputs that do not exist, all of them at once.
pub(super) async fn find(
    broker: &Broker,
    principal: &Principal,
    outputs: &[NewOutput],
    paths: &[DatasetPath],
) -> Result<Vec<JobOutput>> {
    let bucket = broker.bucket_of(&principal.jail).await?;
    let mut found = Vec::with_capacity(outputs.len());
    let mut missing = Vec::new();
    for (index, (output, path)) in outputs.iter().zip(paths).enumerate() {
        let key = match principal.jail.key(path) {
            Ok(key) => key,
            Err(reason) => return Err(Refusal::path("/outputs", reason, path.as_str()).into()),
        };
        match bucket.objects.head(&key).await? {
            Some(object) => found.push(JobOutput {
                kind: output.kind.clone(),
                path: path.as_str().to_owned(),
                size: object.size,
                etag: object.etag,
            }),
            None => missing.push(FieldError::new(
                format!("/outputs/{index}/path"),
                format!("there is no object at {path}"),
            )),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let paths: Vec<_> = missing.iter().map(|error| error.detail.clone()).collect();
    Err(Refusal {
        errors: missing,
        ..Refusal::new(Code::OutputMissing, format!("{}.", paths.join("; ")))
    }
    .into())
}
