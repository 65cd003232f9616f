//! From every way to fail to a problem with a body.

use std::any::Any;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{StatusCode, header};
use actix_web::{Error, HttpResponse};

use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind;

/// Gives a failed answer its body and keeps the headers that inner layers set.
pub fn render(
    response: ServiceResponse<BoxBody>,
    instance: &str,
    id: &str,
) -> ServiceResponse<BoxBody> {
    let (request, failed) = response.into_parts();
    let stranger;
    let problem = match failed.error() {
        Some(error) => match error.as_error::<Problem>() {
            Some(problem) => problem,
            None => {
                stranger = of_stranger(error);
                &stranger
            }
        },
        None if is_bare_failure(&failed) => {
            stranger = of_status(failed.status());
            &stranger
        }
        None => return ServiceResponse::new(request, failed),
    };
    report(problem);
    let mut whole = problem.respond(instance, id);
    for (name, value) in failed.headers() {
        if !whole.headers().contains_key(name) {
            whole.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, whole)
}

/// A failure that the framework made by itself, without a body.
fn is_bare_failure(response: &HttpResponse) -> bool {
    let status = response.status();
    (status.is_client_error() || status.is_server_error())
        && !response.headers().contains_key(header::CONTENT_TYPE)
}

/// An error that is none of ours: its words stay in the log.
pub fn of_stranger(error: &Error) -> Problem {
    let status = error.as_response_error().status_code();
    if status.is_client_error() {
        of_status(status)
    } else {
        Problem::internal(error.to_string())
    }
}

fn of_status(status: StatusCode) -> Problem {
    let kind = Kind::of_status(status);
    match kind {
        Kind::InternalError => Problem::internal(format!("a bare status {status}")),
        _ => Problem::new(kind, kind.entry().title),
    }
}

/// The one place where the cause of a fault is logged.
pub fn report(problem: &Problem) {
    if let Some(cause) = problem.cause_chain() {
        log::error!("{}: {cause}", problem.kind().entry().code);
    }
}

/// A handler panicked: what it said is for the log.
pub fn of_panic(panic: &(dyn Any + Send)) -> Problem {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Problem::internal(format!(
        "a handler panicked: {}",
        said.unwrap_or("no words")
    ))
}
