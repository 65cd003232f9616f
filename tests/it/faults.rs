//! What everything depends on goes away and comes back: callers are told to try again, rows stay
//! as they were, nothing needs a restart, and no answer says what is inside.

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

/// Words that only the log may have.
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

/// A 503 that says when to try again, and nothing of the cause.
#[track_caller]
fn unavailable(app: &App, reply: Reply, dependency: &str) -> Value {
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
