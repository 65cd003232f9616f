//! Adds the problem responses of each operation, with texts from the catalogue.

use std::collections::BTreeMap;

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, Ref, RefOr, Response, ResponseBuilder};

use super::shared::{is_authenticated, operations};
use crate::domain::mismatch::Mismatch;
use crate::domain::principal::Scope;
use crate::domain::quota::Exceeded;
use crate::domain::refusal::{Code, FieldError, Refusal};
use crate::domain::status::Status;
use crate::http::access::POLLED;
use crate::http::problem::catalogue::Kind;
use crate::http::problem::{MEDIA_TYPE, Problem};

/// Adds the problem responses to the operation of a document: `own` are those that its handler
/// declares, the others follow from its body, its scopes and its path.
pub fn add(document: &mut OpenApi, own: &[Kind]) {
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            let mut by_status: BTreeMap<u16, Vec<Problem>> = BTreeMap::new();
            for problem in problems(path, operation, own) {
                let status = problem.kind().entry().status.as_u16();
                by_status.entry(status).or_default().push(problem);
            }
            for (status, problems) in by_status {
                let response = RefOr::T(response(path, &problems));
                let responses = &mut operation.responses.responses;
                // `/readyz` documents its own 503.
                responses.entry(status.to_string()).or_insert(response);
            }
        }
    }
}

fn problems(path: &str, operation: &Operation, own: &[Kind]) -> Vec<Problem> {
    let plain = |kind: Kind| Problem::new(kind, kind.entry().title);
    let own = own.iter().map(|kind| match kind {
        Kind::Refused(code) => refusal(*code).into(),
        kind => plain(*kind),
    });
    let mut all: Vec<Problem> = own.collect();
    if operation.request_body.is_some() {
        all.extend([
            plain(Kind::InvalidJson),
            plain(Kind::RequestTimeout),
            plain(Kind::PayloadTooLarge),
            plain(Kind::UnsupportedMediaType),
        ]);
    }
    if let Some(scope) = scope(operation) {
        all.extend([
            Problem::unauthenticated(),
            Problem::missing_scope(scope),
            Problem::unavailable("S3", "example"),
        ]);
    } else if is_authenticated(operation) {
        all.push(Problem::unauthenticated());
    }
    if !POLLED.contains(&path) {
        all.push(Problem::rate_limited("address", 1));
        all.push(Problem::overloaded("The broker"));
    }
    all.push(Problem::internal("example"));
    all
}

/// The first of the one or two scopes that an operation requires. `None` if the operation is
/// public, or any credential may call it.
fn scope(operation: &Operation) -> Option<Scope> {
    let needs = |scopes: &[Scope]| {
        let scopes = scopes.iter().map(|scope| scope.as_str());
        let needed = SecurityRequirement::new("bearer", scopes);
        (operation.security.iter().flatten()).any(|one| *one == needed)
    };
    let named = |scope: &Scope| {
        let mut others = Scope::ALL.into_iter();
        needs(&[*scope]) || others.any(|other| needs(&[*scope, other]))
    };
    Scope::ALL.into_iter().find(named)
}

fn response(path: &str, problems: &[Problem]) -> Response {
    let titles: Vec<_> = problems
        .iter()
        .map(|problem| problem.kind().entry())
        .map(|entry| format!("`{}`: {}", entry.code, entry.title))
        .collect();
    let instance = path
        .replace("{id}", super::examples::ID)
        .replace("{path}", "data/employees.csv")
        .replace("{uploadId}", super::examples::S3_UPLOAD_ID)
        .replace("{partNumber}", "1");
    let examples = problems.iter().map(|problem| {
        let entry = problem.kind().entry();
        let body = problem.body(&instance, super::examples::REQUEST_ID);
        let example = ExampleBuilder::new()
            .summary(entry.title)
            .value(serde_json::to_value(body).ok());
        (entry.code, RefOr::T(example.build()))
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples)
        .build();
    ResponseBuilder::new()
        .description(titles.join("; "))
        .content(MEDIA_TYPE, content)
        .build()
}

fn refusal(code: Code) -> Refusal {
    let plain = Refusal::new(code, Kind::from(code).entry().title);
    match code {
        Code::InvalidRequest => Refusal {
            errors: vec![FieldError::new("/limit", "must be a number from 1 to 1000")],
            ..plain
        },
        Code::InvalidStatus | Code::DatasetExists => Refusal {
            upload_id: super::examples::ID.parse().ok(),
            status: Some(Status::Uploaded),
            ..plain
        },
        Code::QuotaExceeded => Refusal::over_quota(Exceeded {
            quota: "bytes",
            limit: 1_000_000_000,
            in_use: 999_000_000,
            asked: 2_000_000,
        }),
        Code::PartsMissing => Refusal {
            status: Some(Status::Pending),
            missing: [(3, 7), (9, 9)].into(),
            ..plain
        },
        Code::ObjectMismatch => Refusal {
            mismatches: vec![Mismatch {
                field: "size",
                expected: "18 bytes".into(),
                found: "17 bytes".into(),
            }],
            ..plain
        },
        _ => plain,
    }
}
