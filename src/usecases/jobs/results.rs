//! The results of an upload: the outputs of its jobs that have succeeded, with URLs to read them.

use uuid::Uuid;

use crate::domain::job::JobOutput;
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::store::jobs;
use crate::usecases::context::Broker;
use crate::usecases::datasets::download::{ReadOptions, SignedGet};
use crate::usecases::error::Result;
use crate::usecases::uploads::find;

/// An output of a job, with a URL to read it.
#[derive(Clone, Debug)]
pub struct JobResult {
    /// The name of the processor.
    pub processor: String,
    /// The output.
    pub output: JobOutput,
    /// A pre-signed URL to read the dataset.
    pub download: SignedGet,
}

/// Returns the results of an upload, in the order in which their jobs were queued. Outputs outside of
/// the folder that the caller is confined to are left out.
pub async fn results(broker: &Broker, principal: &Principal, id: Uuid) -> Result<Vec<JobResult>> {
    let mut connection = broker.connection().await?;
    find::by_id(&mut connection, principal, id).await?;
    let succeeded = jobs::find_succeeded(&mut connection, id).await?;
    // Signing may wait for credentials, while other requests need the connection.
    drop(connection);
    let mut results = Vec::new();
    for job in succeeded {
        for output in job.outputs {
            let path = DatasetPath::from_stored(output.path.clone());
            let Ok(key) = principal.jail.key(&path) else {
                continue;
            };
            let options = ReadOptions::default();
            let download = broker.sign_get(principal, &key, &path, options).await?;
            results.push(JobResult {
                processor: job.processor.clone(),
                output,
                download,
            });
        }
    }
    Ok(results)
}
