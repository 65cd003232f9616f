//! `GET /search`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, DatasetsRead};
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::usecases::Broker;
use crate::usecases::documents::search::{self, DEFAULT_LIMIT, Hit, LIMITS, Search};

/// A page that matches.
#[derive(Serialize, ToSchema)]
pub struct SearchHit {
    /// The path of the dataset.
    #[schema(example = "/in/report.pdf")]
    pub path: String,
    /// The upload of the dataset.
    pub upload_id: Uuid,
    /// The number of the page.
    #[schema(example = 3, minimum = 1)]
    pub page: u32,
    /// How well the page matches: larger is better. Only the order has a meaning.
    #[schema(example = 0.0759)]
    pub rank: f32,
    /// A part of the page as plain text, with ⟦ and ⟧ around each match. It is not HTML: escape it
    /// before you insert it into a page.
    #[schema(example = "The ⟦quarterly⟧ report shows a surplus.")]
    pub snippet: String,
}

impl FromParams for Search {
    const NAMES: &'static [&'static str] = &["q", "prefix", "limit"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        let query = params.one("q")?;
        let query = query.ok_or_else(|| Problem::field("/q", "is missing"))?;
        let limit = match params.one("limit")? {
            None => DEFAULT_LIMIT,
            Some(text) => {
                let limit = text.parse().ok().filter(|limit| LIMITS.contains(limit));
                limit.ok_or_else(|| {
                    let (min, max) = (LIMITS.start(), LIMITS.end());
                    Problem::field("/limit", format!("must be a number from {min} to {max}"))
                })?
            }
        };
        Ok(Self {
            query: query.to_owned(),
            prefix: params.one("prefix")?.map(str::to_owned),
            limit,
        })
    }
}

const PATH: &str = "/search";

#[derive(OpenApi)]
#[openapi(paths(search))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(search),
    document: ApiDoc::openapi,
    problems: &[Refused(Code::InvalidRequest)],
};

/// Searches the text of datasets.
#[utoipa::path(get, path = PATH, operation_id = "searchText", tag = "Processing",
    summary = "Search the text of datasets",
    description = "Finds pages of the current datasets, best first, among those whose text the processor `pdf-text` has extracted. All words must be on the page; `\"…\"` is a phrase, `or` and `-` work as in web search engines. A word is a run of letters and digits, so that `a-b` is the phrase `\"a b\"`. At most 1,000 matching pages are ranked. A dataset that was replaced or deleted is not found.",
    security(("bearer" = ["datasets:read"])),
    params(
        ("q" = String, Query, description = "The query, at most 1,000 bytes", example = "quarterly"),
        ("prefix" = Option<String>, Query, description = "Only paths with this prefix", example = "/in/"),
        ("limit" = Option<u16>, Query, description = "The largest number of pages; 20 by default", minimum = 1, maximum = 100),
    ),
    responses((status = 200, description = "The pages that match best", body = Vec<SearchHit>, example = json!(example()))))]
pub async fn search(
    caller: Caller<DatasetsRead>,
    broker: web::Data<Broker>,
    query: Query<Search>,
) -> Result<HttpResponse, Problem> {
    let found = search::search(&broker, &caller, &query.0).await?;
    let hits: Vec<SearchHit> = found.hits.into_iter().map(Into::into).collect();
    let record = ActionDetails {
        path: Some(found.searched),
        ..ActionDetails::new(Action::DatasetsSearched)
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(hits)
        .audited(record))
}

impl From<Hit> for SearchHit {
    fn from(hit: Hit) -> Self {
        Self {
            path: hit.path,
            upload_id: hit.upload_id,
            page: hit.page,
            rank: hit.rank,
            snippet: hit.snippet,
        }
    }
}

fn example() -> Value {
    json!([{
        "path": "/in/report.pdf",
        "upload_id": examples::ID,
        "page": 3,
        "rank": 0.0759,
        "snippet": "The ⟦quarterly⟧ ⟦report⟧ shows a surplus.",
    }])
}
