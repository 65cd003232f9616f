//! The id of the request that the present task works for.

use std::future::Future;
use std::sync::Arc;

tokio::task_local! {
    static REQUEST_ID: Arc<str>;
}

/// Runs `future` so that every line which it logs carries `id`. What it spawns does not inherit
/// the id.
pub fn with_request_id<F: Future>(
    id: impl Into<Arc<str>>,
    future: F,
) -> impl Future<Output = F::Output> {
    REQUEST_ID.scope(id.into(), future)
}

/// The id of the request that this task works for; none outside of a request.
pub fn request_id() -> Option<Arc<str>> {
    REQUEST_ID.try_with(Arc::clone).ok()
}
