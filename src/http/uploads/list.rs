//! `GET /uploads`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use super::wire::Upload;
use crate::domain::refusal::Code;
use crate::domain::status::Status;
use crate::http::extract::base_path::BasePath;
use crate::http::extract::caller::{Caller, UploadsRead};
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::uploads::list::{self, Filter};

/// The parsed query parameters.
#[derive(Debug)]
pub struct ListUploads {
    params: Params,
    filter: Filter,
}

impl FromParams for ListUploads {
    const NAMES: &'static [&'static str] = &[
        "status",
        "prefix",
        "path",
        "derived_from",
        "limit",
        "cursor",
    ];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        let mut statuses = Vec::new();
        for name in params.all("status") {
            statuses.push(name.parse().map_err(|_| {
                let all = Status::ALL.map(Status::as_str).join(", ");
                Problem::field("/status", format!("must be one of {all}"))
            })?);
        }
        let filter = Filter {
            statuses,
            prefix: params.one("prefix")?.map(str::to_owned),
            path: params.one("path")?.map(str::to_owned),
            derived_from: params.id("derived_from")?,
            limit: params.limit()?,
            cursor: params.cursor()?,
        };
        let params = params.clone();
        Ok(Self { params, filter })
    }
}

const PATH: &str = "/uploads";

#[derive(OpenApi)]
#[openapi(paths(list))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(list),
    document: ApiDoc::openapi,
    problems: &[Refused(Code::InvalidRequest)],
};

/// Lists upload sessions.
#[utoipa::path(get, path = PATH, operation_id = "listUploads", tag = "Uploads",
    summary = "List upload sessions",
    description = "Lists sessions, newest first. Sessions that are created meanwhile do not shift the pages. A list has no pre-signed URLs.",
    security(("bearer" = ["uploads:read"])),
    params(
        ("status" = Option<Vec<String>>, Query, description = "Only uploads with one of these statuses; may be repeated", example = json!(["Uploaded", "Error"])),
        ("prefix" = Option<String>, Query, description = "Only paths with this prefix", example = "/data/"),
        ("path" = Option<String>, Query, description = "Only this path"),
        ("derived_from" = Option<uuid::Uuid>, Query, description = "Only uploads whose dataset was made from the object of this upload"),
        ("limit" = Option<u16>, Query, description = "The largest number of entries on a page; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "The cursor in the `Link` header of the previous page; opaque", pattern = "^[A-Za-z0-9_-]+$"),
    ),
    responses((status = 200, description = "One page",
        headers(("Link" = String, description = "`<…>; rel=\"next\"` if there is another page")),
        body = Vec<Upload>, example = json!([examples::uploaded()]))))]
pub async fn list(
    caller: Caller<UploadsRead>,
    broker: web::Data<Broker>,
    base: BasePath,
    query: Query<ListUploads>,
) -> Result<HttpResponse, Problem> {
    let Query(ListUploads { params, filter }) = query;
    let page = list::list(&broker, &caller, filter).await?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &page.next {
        response.insert_header((
            header::LINK,
            params.link_to_next(&base.join("/uploads"), next),
        ));
    }
    let items: Vec<Upload> = page.items.into_iter().map(Into::into).collect();
    Ok(response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(items))
}
