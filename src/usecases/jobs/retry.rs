//! Queues the failed jobs of an upload again.

use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as Sql};
use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use super::check_processor;
use crate::domain::job::Job;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::jobs;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::faults::Faults;
use crate::usecases::uploads::find;

/// Queues the failed jobs of an upload again, or only that of `processor`, and returns the upload and
/// these jobs. An upload in Error is Processing afterwards. Refuses an upload without failed jobs, and
/// one whose path has a newer dataset by now.
pub async fn retry(
    broker: &Arc<Broker>,
    principal: &Principal,
    upload_id: Uuid,
    processor: Option<String>,
) -> Result<(Upload, Vec<Job>)> {
    let mut faults = Faults::default();
    if let Some(processor) = &processor {
        check_processor(&mut faults, processor);
    }
    faults.into_result()?;
    let mut connection = broker.connection().await?;
    let upload = find::by_id(&mut connection, principal, upload_id).await?;
    drop(connection);
    let this = Arc::clone(broker);
    let retrying = async move { this.retry(upload, processor.as_deref()).await };
    broker.tasks.run_to_end(retrying).await
}

impl Broker {
    async fn retry(&self, upload: Upload, processor: Option<&str>) -> Result<(Upload, Vec<Job>)> {
        let now = self.clock.now();
        let permit = self.connections.permit(&upload.tenant).await?;
        let mut connection = self.connection().await?;
        let (tenant, id) = (&upload.tenant, upload.id);
        let retried = connection
            .transaction(async |connection| {
                let locked = jobs::lock_upload(connection, tenant, id).await?;
                let locked = locked.ok_or(Sql::NotFound)?;
                let queued = jobs::requeue_failed(connection, id, processor, now).await?;
                let (upload, transition) =
                    jobs::follow_jobs(connection, locked, "", now, &self.rules.notified).await?;
                Ok::<_, Sql>((upload, queued, transition))
            })
            .await;
        drop((connection, permit));
        let (upload, queued, transition) = match retried {
            Err(Sql::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
                let path = &upload.path;
                return Err(refused(&upload, format!("A newer dataset is at {path}.")).into());
            }
            retried => retried?,
        };
        if queued.is_empty() {
            return Err(refused(&upload, "No job of the upload has failed.".to_owned()).into());
        }
        if let Some(transition) = transition {
            self.metrics.uploads.transition(transition.to().as_str());
            self.outbox.notify_one();
        }
        self.jobs_queued.notify_waiters();
        Ok((upload, queued))
    }
}

fn refused(upload: &Upload, detail: String) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        ..Refusal::new(Code::InvalidStatus, detail)
    }
}
