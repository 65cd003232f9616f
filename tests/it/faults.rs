//! Services that the broker needs become unavailable and come back: callers are asked to retry,
//! rows stay unchanged, nothing needs a restart, and no answer reveals internals.

mod clients;
mod failover;
mod languages;
mod load;
mod postgres;
mod s3;
mod s3_ill;
mod slow_clients;
mod sns;

use serde_json::Value;

use crate::support::app::App;
use crate::support::reply::Reply;

/// Words that only the log may contain.
const INTERNAL: [&str; 16] = [
    "127.0.0.1",
    "localhost",
    "postgres://",
    "bucket-",
    "SELECT",
    "INSERT",
    "UPDATE",
    "relation",
    "connection",
    "dispatch",
    "timeout",
    "AccessDenied",
    "SignatureDoesNotMatch",
    "<?xml",
    "hyper",
    "diesel",
];

/// Asserts a 503 that says when to retry, and does not reveal the cause.
#[track_caller]
fn assert_unavailable(app: &App, reply: Reply, dependency: &str) -> Value {
    let wait = reply.header("retry-after").map(str::parse::<u32>);
    assert!(matches!(wait, Some(Ok(1..=60))), "{reply:#?}");
    for word in INTERNAL.into_iter().chain([app.database.name()]) {
        assert!(!reply.body.contains(word), "{word:?} in {reply:#?}");
    }
    let problem = reply.expect_problem(503, "service-unavailable");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains(dependency), "{detail}");
    problem
}
