//! `GET /datasets/{path}/action/download`.

use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::domain::audit::{Action, Deed};
use crate::domain::refusal::Code;
use crate::http::extract::caller::{Caller, DatasetsRead};
use crate::http::extract::path::Dataset;
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::middleware::head::CameAsHead;
use crate::http::noted::Noted as _;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::Time;
use crate::usecases::Broker;
use crate::usecases::datasets::download::{self, Disposition, ReadMethod, Wish};

/// How to answer.
#[derive(Debug)]
pub struct How {
    disposition: Disposition,
    redirect: bool,
}

impl FromParams for How {
    const NAMES: &'static [&'static str] = &["disposition", "redirect"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        let disposition = match params.one("disposition")? {
            None => Disposition::Stored,
            Some("inline") => Disposition::Inline,
            Some("attachment") => Disposition::Attachment,
            Some(_) => {
                let detail = "must be inline or attachment";
                return Err(Problem::field("/disposition", detail));
            }
        };
        let redirect = params.flag("redirect")?.unwrap_or(true);
        Ok(Self {
            disposition,
            redirect,
        })
    }
}

/// A pre-signed GET. The URL is a credential: keep it secret.
#[derive(Serialize, ToSchema)]
pub struct Download {
    /// Where to GET the bytes; `Range` works.
    #[schema(format = "uri")]
    url: String,
    /// When the URL stops working.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Time,
}

const PATH: &str = "/datasets/{path}/action/download";

#[derive(OpenApi)]
#[openapi(paths(download))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::get().to(download),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::DatasetNotFound),
    ],
};

/// The handler.
#[utoipa::path(get, path = PATH, operation_id = "downloadDataset", tag = "Datasets",
    summary = "Download a dataset",
    description = "Redirects to a pre-signed GET at the store, and HEAD to a pre-signed HEAD. `Range` works there.",
    security(("bearer" = ["datasets:read"])),
    params(
        ("path" = String, Path, description = "The path of the dataset; it contains slashes", example = "data/employees.csv", min_length = 1, max_length = 1025, pattern = r"^/?[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$"),
        ("disposition" = Option<String>, Query, description = "`inline` or `attachment`: what a browser shall do with it", example = "attachment", pattern = "^(inline|attachment)$"),
        ("redirect" = Option<bool>, Query, description = "`false` answers 200 with the URL instead"),
    ),
    responses(
        (status = 302, description = "Go there", headers(("Location" = String, description = "A pre-signed GET"))),
        (status = 200, description = "With `redirect=false`: the URL", body = Download, example = json!(example())),
    ))]
pub async fn download(
    caller: Caller<DatasetsRead>,
    broker: web::Data<Broker>,
    path: Dataset,
    query: Query<How>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Query(how) = query;
    // A signature holds for one method, and a redirect keeps that of the request. The URL in a
    // body is for GET: HEAD answers with the headers that GET gets.
    let came_as_head = request.extensions().contains::<CameAsHead>();
    let wish = Wish {
        method: match how.redirect && came_as_head {
            true => ReadMethod::Head,
            false => ReadMethod::Get,
        },
        disposition: how.disposition,
    };
    let signed = download::download(&broker, &caller, &path.0, wish).await?;
    let deed = Deed::at(Action::DatasetDownloaded, &path.0).until(signed.expires_at);
    if how.redirect {
        return Ok(HttpResponse::Found()
            .insert_header((header::LOCATION, signed.url))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish()
            .noted(deed));
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Download {
            url: signed.url,
            expires_at: signed.expires_at.into(),
        })
        .noted(deed))
}

fn example() -> Value {
    json!({"url": examples::URL, "expires_at": "2025-03-01T10:15:00.000Z"})
}
