//! The span of the work on one row.

use super::task::Task;
use crate::domain::upload::Upload;
use crate::telemetry::trace::{Span, SpanKind};
use crate::usecases::Broker;
use crate::usecases::maintenance::row_lease::RowTask;

/// Starts the span of the work on one row, if traces are recorded. It is a trace of its own, which the
/// events that the work causes belong to.
pub(super) fn row_span(broker: &Broker, row_task: RowTask, upload: &Upload) -> Span {
    let Some(tracer) = &broker.observers.tracer else {
        return Span::none();
    };
    let name = format!("janitor {}", Task::from(row_task));
    let mut span = tracer.detached_span(name, SpanKind::Internal, None);
    if span.is_recorded() {
        span.set("upload_broker.upload_id", upload.id.to_string());
        span.set("upload_broker.tenant", upload.tenant.clone());
    }
    span
}

impl From<RowTask> for Task {
    fn from(row_task: RowTask) -> Self {
        match row_task {
            RowTask::CheckArrival => Self::Arrivals,
            RowTask::Expire => Self::Overdue,
            RowTask::FinishDelete => Self::Deletes,
            RowTask::FinalCheck => Self::FinalChecks,
        }
    }
}
