//! The id of the request that the current task works for.

use std::future::Future;
use std::sync::Arc;

tokio::task_local! {
    static REQUEST_ID: Arc<str>;
}

/// Runs `future` with a request id that is added to all its log lines. Tasks that it spawns do not
/// inherit the id.
pub fn with_request_id<F: Future>(
    id: impl Into<Arc<str>>,
    future: F,
) -> impl Future<Output = F::Output> {
    REQUEST_ID.scope(id.into(), future)
}

/// The id of the request that the current task works for. `None` outside of a request.
pub fn request_id() -> Option<Arc<str>> {
    REQUEST_ID.try_with(Arc::clone).ok()
}
