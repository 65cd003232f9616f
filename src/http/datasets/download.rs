//! `GET /datasets/{path}/action/download`.

use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, DatasetsRead};
use crate::http::extract::path::Dataset;
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::middleware::head::OriginallyHead;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::Time;
use crate::usecases::Broker;
use crate::usecases::datasets::download::{self, Disposition, ReadMethod, ReadOptions};

/// The parsed query parameters.
#[derive(Debug)]
pub struct Options {
    disposition: Disposition,
    redirect: bool,
}

impl FromParams for Options {
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
    /// The URL to GET the bytes from. It supports `Range`.
    #[schema(format = "uri")]
    url: String,
    /// When the URL expires.
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

/// Redirects to a pre-signed GET, or returns it.
#[utoipa::path(get, path = PATH, operation_id = "downloadDataset", tag = "Datasets",
    summary = "Download a dataset",
    description = "Redirects to a pre-signed GET at the store, which supports `Range`. A HEAD request is redirected to a pre-signed HEAD.",
    security(("bearer" = ["datasets:read"])),
    params(
        ("path" = String, Path, description = "The path of the dataset, which contains slashes", example = "data/employees.csv", min_length = 1, max_length = 1025, pattern = r"^/?[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$"),
        ("disposition" = Option<String>, Query, description = "`inline` or `attachment`: the disposition that the store returns to the browser", example = "attachment", pattern = "^(inline|attachment)$"),
        ("redirect" = Option<bool>, Query, description = "`false` returns the URL with status 200 instead"),
    ),
    responses(
        (status = 302, description = "A redirect to the store", headers(("Location" = String, description = "A pre-signed GET"))),
        (status = 200, description = "With `redirect=false`: the URL", body = Download, example = json!(example())),
    ))]
pub async fn download(
    caller: Caller<DatasetsRead>,
    broker: web::Data<Broker>,
    path: Dataset,
    query: Query<Options>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Query(options) = query;
    // A signature is valid for one method, and a redirect keeps the method of the request. The URL
    // in a body is always for GET, because HEAD must return the headers that GET returns.
    let was_head = request.extensions().contains::<OriginallyHead>();
    let read = ReadOptions {
        method: match options.redirect && was_head {
            true => ReadMethod::Head,
            false => ReadMethod::Get,
        },
        disposition: options.disposition,
    };
    let signed = download::download(&broker, &caller, &path.0, read).await?;
    let details =
        ActionDetails::on_path(Action::DatasetDownloaded, &path.0).expiring_at(signed.expires_at);
    if options.redirect {
        return Ok(HttpResponse::Found()
            .insert_header((header::LOCATION, signed.url))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish()
            .audited(details));
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Download {
            url: signed.url,
            expires_at: signed.expires_at.into(),
        })
        .audited(details))
}

fn example() -> Value {
    json!({"url": examples::URL, "expires_at": "2025-03-01T10:15:00.000Z"})
}
