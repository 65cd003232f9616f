//! `GET /readyz`: whether the broker can serve requests.
//!
//! The dependencies are checked at most once a second, however often this route is called. Calls
//! that arrive during a check wait for its result.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use utoipa::{OpenApi, ToSchema};

use crate::domain::abilities::{Abilities, Ability};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::wire::Time;
use crate::lifecycle::Shutdown;
use crate::usecases::readiness::{self, Readiness};
use crate::usecases::{Broker, Error};

/// How long the result of a check is reused.
const CACHE_TIME: Duration = Duration::from_secs(1);

/// The last result, shared by all workers.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    last: Arc<Mutex<Option<(Instant, Ready)>>>,
    shutdown: Shutdown,
}

/// Whether the broker can serve requests.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Ready {
    /// `ready`, `unavailable` or `stopping`.
    #[schema(example = "ready")]
    status: &'static str,
    /// When the dependencies were checked.
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    /// The state of each dependency: `ok` or `unavailable`.
    checks: Checks,
    /// Events that are waiting to be sent to SNS; null if Postgres is unavailable. It does not
    /// affect readiness.
    #[schema(required = true)]
    outbox: Option<Outbox>,
    /// The queue of S3 event notifications: `ok`, `unavailable`, `starting` before its first
    /// response, or `off` if none is configured. It does not affect readiness, because clients
    /// acknowledge without it.
    #[schema(example = "off")]
    s3_events: &'static str,
    /// The features of S3 that the store of the bucket supports, as far as known. It does not
    /// affect readiness.
    store: Store,
}

/// The features of the store of the bucket. Each is `yes`, `no`, `unquoted` (only with ETags that
/// are sent without quotes), or `unknown` until it has been determined.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Store {
    /// `If-None-Match` on PUT.
    #[schema(example = "yes")]
    put_if_none_match: &'static str,
    /// `If-Match` on PUT.
    #[schema(example = "yes")]
    put_if_match: &'static str,
    /// `If-None-Match` and `If-Match` on CompleteMultipartUpload.
    #[schema(example = "yes")]
    complete_if_none_match: &'static str,
    /// `If-Match` on DELETE.
    #[schema(example = "yes")]
    delete_if_match: &'static str,
    /// Whether the store rejects bytes that do not match their checksum.
    #[schema(example = "yes")]
    checksums: &'static str,
    /// Whether HEAD can return checksums.
    #[schema(example = "yes")]
    head_checksums: &'static str,
}

impl From<Abilities> for Store {
    fn from(all: Abilities) -> Self {
        let of = |ability| all.support(ability).as_str();
        Self {
            put_if_none_match: of(Ability::PutIfNoneMatch),
            put_if_match: of(Ability::PutIfMatch),
            complete_if_none_match: of(Ability::CompleteIfNoneMatch),
            delete_if_match: of(Ability::DeleteIfMatch),
            checksums: of(Ability::Checksums),
            head_checksums: of(Ability::HeadChecksums),
        }
    }
}

/// The dependencies.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Checks {
    /// The database.
    #[schema(example = "ok")]
    postgres: &'static str,
    /// The bucket.
    #[schema(example = "ok")]
    s3: &'static str,
}

/// Events that are waiting to be sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Outbox {
    /// The number of waiting events of all replicas, counted up to 100,000.
    waiting: i64,
    /// How long the oldest event has been waiting, since it happened or was scheduled to be sent
    /// again.
    #[schema(required = true)]
    oldest_seconds: Option<i64>,
}

const PATH: &str = "/readyz";

#[derive(OpenApi)]
#[openapi(paths(readyz))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(readyz),
    document: ApiDoc::openapi,
    problems: &[],
};

/// Answers a readiness probe.
#[utoipa::path(get, path = PATH, operation_id = "readyz", tag = "Service",
    summary = "Check that requests can be served",
    description = "A readiness probe for a load balancer. Postgres and S3 are checked at most once a second; Postgres through the connections that requests use. A process that is stopping is not ready.",
    security(()),
    responses(
        (status = 200, description = "Requests can be served", body = Ready, example = json!(ready_example())),
        (status = 503, description = "A dependency is unavailable, or the process is stopping", body = Ready, example = json!(unavailable_example())),
    ))]
pub async fn readyz(broker: web::Data<Broker>, probe: web::Data<Probe>) -> HttpResponse {
    let ready = probe.check(&broker).await;
    let mut response = if ready.status == "ready" {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    if ready.status != "ready" {
        response.insert_header((header::RETRY_AFTER, "1"));
    }
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(ready)
}

impl Probe {
    /// Creates a probe without a result. `shutdown` is the one that stops the process.
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            ..Self::default()
        }
    }

    async fn check(&self, broker: &Broker) -> Ready {
        let mut ready = self.check_dependencies(broker).await;
        if self.shutdown.is_stopping() {
            ready.status = "stopping";
        }
        ready
    }

    async fn check_dependencies(&self, broker: &Broker) -> Ready {
        let mut last = self.last.lock().await;
        match &*last {
            Some((at, ready)) if at.elapsed() < CACHE_TIME => ready.clone(),
            _ => {
                let ready = Ready::from(readiness::check(broker).await);
                *last = Some((Instant::now(), ready.clone()));
                ready
            }
        }
    }
}

impl From<Readiness> for Ready {
    fn from(readiness: Readiness) -> Self {
        Self {
            status: if readiness.is_ready() {
                "ready"
            } else {
                "unavailable"
            },
            time: readiness.at.into(),
            s3_events: readiness.s3_events.as_str(),
            store: readiness.store.into(),
            outbox: readiness.postgres.as_ref().ok().map(|backlog| Outbox {
                waiting: backlog.depth,
                oldest_seconds: backlog
                    .oldest
                    .map(|oldest| (readiness.at - oldest).num_seconds()),
            }),
            checks: Checks {
                postgres: state_of(readiness.postgres),
                s3: state_of(readiness.s3),
            },
        }
    }
}

/// The state of a dependency. The cause is only logged, because it may name hosts.
fn state_of<T>(answer: Result<T, Error>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(error) => {
            let problem = Problem::from(error);
            let cause = problem.cause_chain().unwrap_or_default();
            log::warn!("not ready: {problem} {cause}");
            "unavailable"
        }
    }
}

fn ready_example() -> Value {
    json!({
        "status": "ready",
        "time": "2025-03-01T10:00:00.000Z",
        "checks": {"postgres": "ok", "s3": "ok"},
        "outbox": {"waiting": 0, "oldest_seconds": null},
        "s3_events": "off",
        "store": example_store(),
    })
}

fn unavailable_example() -> Value {
    json!({
        "status": "unavailable",
        "time": "2025-03-01T10:00:00.000Z",
        "checks": {"postgres": "unavailable", "s3": "ok"},
        "outbox": null,
        "s3_events": "off",
        "store": example_store(),
    })
}

fn example_store() -> Value {
    json!({
        "put_if_none_match": "yes",
        "put_if_match": "yes",
        "complete_if_none_match": "yes",
        "delete_if_match": "yes",
        "checksums": "yes",
        "head_checksums": "yes",
    })
}
