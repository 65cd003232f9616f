//! `GET /principal`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::domain::principal::{Credential, Principal as Authenticated, Scope};
use crate::http::extract::caller::Caller;
use crate::http::openapi::schemas;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::wire::Time;
use crate::usecases::Broker;

/// What a credential may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Principal {
    /// The tenant whose data the credential may access.
    #[schema(example = "default")]
    tenant: String,
    #[schema(schema_with = schemas::credential)]
    credential: &'static str,
    #[schema(schema_with = schemas::scopes)]
    scopes: Vec<&'static str>,
    /// The folder that the credential is restricted to; `/` if it is not restricted.
    #[schema(example = "/in/")]
    prefix: String,
    /// The largest object that the credential may upload, in bytes.
    max_size: u64,
    /// The content types that uploads may have; `type/*` allows all subtypes. Null allows all.
    content_types: Option<Vec<String>>,
    /// Larger objects are uploaded in parts by default, in bytes.
    multipart_threshold: u64,
    /// When the credential expires; null if it does not.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
}

impl Principal {
    fn new(broker: &Broker, principal: &Authenticated) -> Self {
        let limits = broker.upload_limits_of(principal);
        let folder = principal.jail.folder();
        Self {
            tenant: principal.tenant.clone(),
            credential: match principal.credential {
                Credential::Key(_) => "key",
                Credential::UploadToken(_) => "upload-token",
                Credential::Jwt(_) => "jwt",
                Credential::AuthenticationOff | Credential::Broker => "none",
            },
            scopes: principal
                .scopes
                .iter()
                .map(|scope| scope.as_str())
                .collect(),
            prefix: folder.map_or_else(|| "/".to_owned(), ToString::to_string),
            max_size: limits.max_size,
            content_types: limits.content_types,
            multipart_threshold: limits.multipart_threshold,
            expires_at: principal.bounds.ends_at.map(Time::from),
        }
    }
}

const PATH: &str = "/principal";

#[derive(OpenApi)]
#[openapi(paths(show))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(show),
    document: ApiDoc::openapi,
    problems: &[],
};

/// Returns what the caller's credential may do.
#[utoipa::path(get, path = PATH, operation_id = "getPrincipal", tag = "Service",
    summary = "Get the rights of the credential",
    description = "Returns the tenant, the scopes and the limits of the credential of this request, so that a program can offer only what the credential permits. It needs no scope.",
    security(("bearer" = [])),
    responses((status = 200, description = "The rights", body = Principal, example = json!(example()))))]
pub async fn show(caller: Caller<()>, broker: web::Data<Broker>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Principal::new(&broker, &caller)))
}

fn example() -> Value {
    json!({
        "tenant": "default", "credential": "key",
        "scopes": [Scope::UploadsWrite.as_str(), Scope::UploadsRead.as_str()],
        "prefix": "/", "max_size": 5_497_558_138_880_u64, "content_types": null,
        "multipart_threshold": 104_857_600, "expires_at": null,
    })
}
