//! `GET /problems` and `GET /problems/{code}`: explanations of the problem codes.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use utoipa::OpenApi;

use super::Problem;
use super::catalogue::{Entry, Kind};
use crate::domain::refusal::Code;
use crate::http::accept::prefers;
use crate::http::html;
use crate::http::operation::Operation;

const LIST_PATH: &str = "/problems";
const SHOW_PATH: &str = "/problems/{code}";

#[derive(OpenApi)]
#[openapi(paths(list))]
struct ListDoc;

#[derive(OpenApi)]
#[openapi(paths(show))]
struct ShowDoc;

/// The declaration of `GET /problems`.
pub const LIST: Operation = Operation {
    path: LIST_PATH,
    route: || web::get().to(list),
    document: ListDoc::openapi,
    problems: &[],
};

/// The declaration of `GET /problems/{code}`.
pub const SHOW: Operation = Operation {
    path: SHOW_PATH,
    route: || web::get().to(show),
    document: ShowDoc::openapi,
    problems: &[Kind::NotFound],
};

/// Lists all problem codes.
#[utoipa::path(get, path = LIST_PATH, operation_id = "listProblems", tag = "Service",
    summary = "List all problem codes",
    description = "One entry for each `code` that a response may have. HTML by default, JSON if `Accept` prefers it.",
    security(()),
    responses((status = 200, description = "All codes", content(
        (serde_json::Value = "application/json", example = json!([{"type": "/problems/object-missing", "code": "object-missing", "status": 409, "title": Kind::Refused(Code::ObjectMissing).entry().title, "explanation": "…"}])),
        (String = "text/html"),
    ))))]
pub async fn list(request: HttpRequest) -> HttpResponse {
    let entries = Kind::ALL.map(Kind::entry);
    if wants_json(&request) {
        return HttpResponse::Ok().json(entries.map(as_json).to_vec());
    }
    let items: String = entries
        .iter()
        .map(|entry| {
            format!(
                "<li><a href=\"/problems/{code}\"><code>{code}</code></a> ({status}): {title}</li>",
                code = entry.code,
                status = entry.status.as_u16(),
                title = entry.title,
            )
        })
        .collect();
    html::page("Problems", &format!("<h1>Problems</h1><ul>{items}</ul>"))
}

/// Explains one problem code.
#[utoipa::path(get, path = SHOW_PATH, operation_id = "getProblem", tag = "Service",
    summary = "Explain a problem code",
    description = "The page that `type` of a problem refers to. HTML by default, JSON if `Accept` prefers it.",
    security(()),
    params(("code" = String, Path, description = "The `code` of a problem", example = "object-missing")),
    responses((status = 200, description = "What the code means and how to resolve the problem", content(
        (serde_json::Value = "application/json", example = json!({"type": "/problems/object-missing", "code": "object-missing", "status": 409, "title": Kind::Refused(Code::ObjectMissing).entry().title, "explanation": "…"})),
        (String = "text/html"),
    ))))]
pub async fn show(request: HttpRequest, code: web::Path<String>) -> Result<HttpResponse, Problem> {
    let Some(kind) = Kind::from_code(&code) else {
        return Err(Problem::new(Kind::NotFound, "No problem has this code."));
    };
    let entry = kind.entry();
    if wants_json(&request) {
        return Ok(HttpResponse::Ok().json(as_json(entry)));
    }
    let body = format!(
        "<h1>{title}</h1><p><code>{code}</code>, status {status}</p><p>{explanation}</p><p><a href=\"/problems\">All problems</a></p>",
        title = html::escape(entry.title),
        code = entry.code,
        status = entry.status.as_u16(),
        explanation = html::prose(entry.explanation),
    );
    Ok(html::page(entry.title, &body))
}

fn as_json(entry: Entry) -> serde_json::Value {
    json!({
        "type": format!("/problems/{}", entry.code),
        "code": entry.code,
        "status": entry.status.as_u16(),
        "title": entry.title,
        "explanation": entry.explanation,
    })
}

fn wants_json(request: &HttpRequest) -> bool {
    let json = ["application/json", super::MEDIA_TYPE];
    (json.iter()).any(|json| prefers(request.headers(), json, "text/html"))
        && !prefers(request.headers(), "text/html", "application/json")
}
