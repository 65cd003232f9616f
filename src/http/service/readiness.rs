//! `GET /readyz`: can requests be served?
//!
//! The dependencies are asked at most once a second, however many ask us; those who come
//! meanwhile wait for that one answer.

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

/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(1);

/// The last answer, shared by all workers.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    last: Arc<Mutex<Option<(Instant, Ready)>>>,
    shutdown: Shutdown,
}

/// Whether requests can be served.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Ready {
    /// `ready`, `unavailable`, or `stopping`.
    #[schema(example = "ready")]
    status: &'static str,
    /// When the dependencies were asked.
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    /// Each dependency: `ok` or `unavailable`.
    checks: Checks,
    /// Events that SNS has not taken, less those given up; null where Postgres is away. They do not hinder readiness.
    #[schema(required = true)]
    outbox: Option<Outbox>,
    /// The queue that S3's own events come from: `ok`, `unavailable`, `starting` before its first
    /// answer, `off` without one. It does not hinder readiness: clients acknowledge without it.
    #[schema(example = "off")]
    s3_events: &'static str,
    /// What is known of what the bucket's store does of what S3 does; it does not hinder readiness.
    store: Store,
}

/// What the bucket's store does, each `yes`, `no`, `unquoted` (with ETags sent without their
/// quotes), or `unknown` until it is found out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Store {
    /// `If-None-Match` on PUT.
    #[schema(example = "yes")]
    put_if_none_match: &'static str,
    /// `If-Match` on PUT.
    #[schema(example = "yes")]
    put_if_match: &'static str,
    /// Both on CompleteMultipartUpload.
    #[schema(example = "yes")]
    complete_if_none_match: &'static str,
    /// `If-Match` on DELETE.
    #[schema(example = "yes")]
    delete_if_match: &'static str,
    /// Whether bytes are refused that do not have the checksum they come with.
    #[schema(example = "yes")]
    checksums: &'static str,
    /// Whether HEAD may ask for checksums.
    #[schema(example = "yes")]
    head_checksums: &'static str,
}

impl From<Abilities> for Store {
    fn from(all: Abilities) -> Self {
        let of = |ability| all.of(ability).as_str();
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

/// Events that wait.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Outbox {
    /// How many, of all replicas; counted up to 100,000.
    waiting: i64,
    /// How long the oldest has been waiting: since it happened, or was asked for again.
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

/// The handler.
#[utoipa::path(get, path = PATH, operation_id = "readyz", tag = "Service",
    summary = "Ask whether requests can be served",
    description = "For a load balancer. Postgres and S3 are asked at most once a second, Postgres as requests ask it. A process that was told to stop is not ready.",
    security(()),
    responses(
        (status = 200, description = "Ready", body = Ready, example = json!(ready_example())),
        (status = 503, description = "Something does not answer, or the process stops", body = Ready, example = json!(unavailable_example())),
    ))]
pub async fn readyz(broker: web::Data<Broker>, probe: web::Data<Probe>) -> HttpResponse {
    let ready = probe.ask(&broker).await;
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
    /// A probe that has not asked yet, of a process that `shutdown` stops.
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            ..Self::default()
        }
    }

    async fn ask(&self, broker: &Broker) -> Ready {
        let mut ready = self.dependencies(broker).await;
        if self.shutdown.is_stopping() {
            ready.status = "stopping";
        }
        ready
    }

    async fn dependencies(&self, broker: &Broker) -> Ready {
        let mut last = self.last.lock().await;
        match &*last {
            Some((at, ready)) if at.elapsed() < BELIEVED => ready.clone(),
            _ => {
                let ready = Ready::from(readiness::check(broker).await);
                *last = Some((Instant::now(), ready.clone()));
                ready
            }
        }
    }
}

impl From<Readiness> for Ready {
    fn from(seen: Readiness) -> Self {
        Self {
            status: if seen.is_ready() {
                "ready"
            } else {
                "unavailable"
            },
            time: seen.at.into(),
            s3_events: seen.s3_events.as_str(),
            store: seen.store.into(),
            outbox: seen.postgres.as_ref().ok().map(|backlog| Outbox {
                waiting: backlog.depth,
                oldest_seconds: backlog
                    .oldest
                    .map(|oldest| (seen.at - oldest).num_seconds()),
            }),
            checks: Checks {
                postgres: word(seen.postgres),
                s3: word(seen.s3),
            },
        }
    }
}

/// The cause goes to the log: it may name hosts.
fn word<T>(answer: Result<T, Error>) -> &'static str {
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
