//! `GET /heartbeat` and `GET /livez`: whether the process responds. They use no dependency.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::http::operation::Operation;
use crate::http::wire::Time;
use crate::usecases::Broker;

/// The response of a running process.
#[derive(Serialize, ToSchema)]
pub struct Heartbeat {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The version of the broker.
    version: &'static str,
    /// The time of the broker.
    #[schema(value_type = String, format = DateTime)]
    time: Time,
}

const HEARTBEAT_PATH: &str = "/heartbeat";
const LIVEZ_PATH: &str = "/livez";

#[derive(OpenApi)]
#[openapi(paths(heartbeat))]
struct HeartbeatDoc;

#[derive(OpenApi)]
#[openapi(paths(livez))]
struct LivezDoc;

/// The declaration of `GET /heartbeat`.
pub const HEARTBEAT: Operation = Operation {
    path: HEARTBEAT_PATH,
    route: || web::get().to(heartbeat),
    document: HeartbeatDoc::openapi,
    problems: &[],
};

/// The declaration of `GET /livez`.
pub const LIVEZ: Operation = Operation {
    path: LIVEZ_PATH,
    route: || web::get().to(livez),
    document: LivezDoc::openapi,
    problems: &[],
};

/// Returns the version and the time.
#[utoipa::path(get, path = HEARTBEAT_PATH, operation_id = "heartbeat", tag = "Service",
    summary = "Get version and time",
    description = "Returns the version and the time of the broker. It does not check Postgres or S3.",
    security(()),
    responses((status = 200, description = "The process responds", body = Heartbeat, example = json!(example()))))]
pub async fn heartbeat(broker: web::Data<Broker>) -> HttpResponse {
    alive(&broker)
}

/// Answers a liveness probe.
#[utoipa::path(get, path = LIVEZ_PATH, operation_id = "livez", tag = "Service",
    summary = "Check that the process responds",
    description = "A liveness probe: restart the process if this fails. It does not check Postgres or S3.",
    security(()),
    responses((status = 200, description = "The process responds", body = Heartbeat, example = json!(example()))))]
pub async fn livez(broker: web::Data<Broker>) -> HttpResponse {
    alive(&broker)
}

fn alive(broker: &Broker) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Heartbeat {
            status: "ok",
            version: env!("CARGO_PKG_VERSION"),
            time: broker.clock.now().into(),
        })
}

fn example() -> Value {
    json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "time": "2025-03-01T10:00:00.000Z"})
}
