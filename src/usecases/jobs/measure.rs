//! Updates the metrics of the jobs that wait.

use crate::store::jobs;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// Waiting jobs are counted up to this number.
const MAX_COUNTED: i64 = 100_000;

/// Updates the gauges of the queued jobs of these processors.
pub async fn measure(broker: &Broker, processors: &[&'static str]) -> Result<()> {
    let now = broker.clock.now();
    let mut connection = broker.connection().await?;
    for processor in processors {
        let backlog = jobs::backlog(&mut connection, processor, MAX_COUNTED).await?;
        let age = backlog.oldest.map(|oldest| now - oldest);
        broker.metrics.jobs.waiting(processor, backlog.queued, age);
    }
    Ok(())
}
