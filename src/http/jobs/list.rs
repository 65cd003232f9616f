//! `GET /jobs`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa::OpenApi;

use super::wire::{Job, example};
use crate::domain::job::JobStatus;
use crate::domain::refusal::Code;
use crate::http::extract::base_path::BasePath;
use crate::http::extract::caller::{Caller, UploadsRead};
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::jobs::list::{self, Filter};

/// The parsed query parameters.
#[derive(Debug)]
pub struct ListJobs {
    params: Params,
    filter: Filter,
}

impl FromParams for ListJobs {
    const NAMES: &'static [&'static str] = &["status", "processor", "limit", "cursor"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        let status = params
            .one("status")?
            .map(str::parse::<JobStatus>)
            .transpose();
        let status = status.map_err(|_| {
            let all = JobStatus::ALL.map(JobStatus::as_str).join(", ");
            Problem::field("/status", format!("must be one of {all}"))
        })?;
        let filter = Filter {
            status,
            processor: params.one("processor")?.map(str::to_owned),
            limit: params.limit()?,
            cursor: params.cursor()?,
        };
        let params = params.clone();
        Ok(Self { params, filter })
    }
}

const PATH: &str = "/jobs";

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

/// Lists jobs.
#[utoipa::path(get, path = PATH, operation_id = "listJobs", tag = "Processing",
    summary = "List jobs",
    description = "Lists the jobs of all uploads, newest first. Jobs that are queued meanwhile do not shift the pages.",
    security(("bearer" = ["uploads:read"])),
    params(
        ("status" = Option<String>, Query, description = "Only jobs with this status", example = "Failed"),
        ("processor" = Option<String>, Query, description = "Only jobs of this processor", example = "csv-aggregate"),
        ("limit" = Option<u16>, Query, description = "The largest number of entries on a page; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "The cursor in the `Link` header of the previous page; opaque", pattern = "^[A-Za-z0-9_-]+$"),
    ),
    responses((status = 200, description = "One page",
        headers(("Link" = String, description = "`<…>; rel=\"next\"` if there is another page")),
        body = Vec<Job>, example = json!([example()]))))]
pub async fn list(
    caller: Caller<UploadsRead>,
    broker: web::Data<Broker>,
    base: BasePath,
    query: Query<ListJobs>,
) -> Result<HttpResponse, Problem> {
    let Query(ListJobs { params, filter }) = query;
    let page = list::list(&broker, &caller, filter).await?;
    let mut response = HttpResponse::Ok();
    if let Some(next) = &page.next {
        response.insert_header((header::LINK, params.link_to_next(&base.join(PATH), next)));
    }
    let items: Vec<Job> = page.items.into_iter().map(Into::into).collect();
    Ok(response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(items))
}
