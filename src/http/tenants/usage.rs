//! `GET /usage`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::http::extract::caller::{Admin, Caller};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::usecases::Broker;
use crate::usecases::tenants::usage as use_case;

/// What the uploads of a tenant use, beside its quotas.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    /// The tenant.
    #[schema(example = "default")]
    tenant: String,
    /// The bytes of its datasets and open uploads. Null if the tenant has no quota: the usage is
    /// recorded from the first quota on.
    bytes: Option<u64>,
    /// Its open uploads. Null if the tenant has no quota.
    open_uploads: Option<u64>,
    /// The largest number of bytes; null if it is not limited.
    quota_bytes: Option<u64>,
    /// The largest number of open uploads; null if it is not limited.
    quota_open_uploads: Option<u64>,
}

const PATH: &str = "/usage";

#[derive(OpenApi)]
#[openapi(paths(usage))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(usage),
    document: ApiDoc::openapi,
    problems: &[],
};

/// Returns the usage of the caller's tenant.
#[utoipa::path(get, path = PATH, operation_id = "getUsage", tag = "Tenants",
    summary = "Get the usage of the tenant",
    description = "Returns what the uploads of the caller's tenant use, and its quotas. Quotas are set with `upload-broker tenants set`.",
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "The usage", body = Usage, example = json!(example()))))]
pub async fn usage(
    caller: Caller<Admin>,
    broker: web::Data<Broker>,
) -> Result<HttpResponse, Problem> {
    let found = use_case::usage(&broker, &caller).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Usage {
            tenant: caller.tenant.clone(),
            bytes: found.usage.map(|usage| usage.bytes),
            open_uploads: found.usage.map(|usage| usage.open_uploads),
            quota_bytes: found.quota.bytes,
            quota_open_uploads: found.quota.open_uploads,
        }))
}

fn example() -> Value {
    json!({
        "tenant": "default", "bytes": 1_234_567, "open_uploads": 3,
        "quota_bytes": 1_000_000_000, "quota_open_uploads": null,
    })
}
