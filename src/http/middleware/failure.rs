//! Turns every kind of failure into a problem with a body.

use std::any::Any;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{StatusCode, header};
use actix_web::{Error, HttpResponse};

use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind;

/// Adds the problem body to a failed response, and keeps the headers that inner layers have set.
/// Returns the response, and the cause if the broker itself failed.
pub fn render(
    response: ServiceResponse<BoxBody>,
    instance: &str,
    id: &str,
) -> (ServiceResponse<BoxBody>, Option<String>) {
    let (request, failed) = response.into_parts();
    let converted;
    let problem = match failed.error() {
        Some(error) => match error.as_error::<Problem>() {
            Some(problem) => problem,
            None => {
                converted = from_error(error);
                &converted
            }
        },
        None if is_bare_failure(&failed) => {
            converted = from_status(failed.status());
            &converted
        }
        None => return (ServiceResponse::new(request, failed), None),
    };
    let cause = report(problem);
    let mut whole = problem.respond(instance, id);
    for (name, value) in failed.headers() {
        if !whole.headers().contains_key(name) {
            whole.headers_mut().append(name.clone(), value.clone());
        }
    }
    (ServiceResponse::new(request, whole), cause)
}

/// Whether the framework made this error response by itself, without a body.
fn is_bare_failure(response: &HttpResponse) -> bool {
    let status = response.status();
    (status.is_client_error() || status.is_server_error())
        && !response.headers().contains_key(header::CONTENT_TYPE)
}

/// Converts an error of the framework or of a library. Its message is only logged.
pub fn from_error(error: &Error) -> Problem {
    let status = error.as_response_error().status_code();
    if status.is_client_error() {
        from_status(status)
    } else {
        Problem::internal(error.to_string())
    }
}

fn from_status(status: StatusCode) -> Problem {
    let kind = Kind::from_status(status);
    match kind {
        Kind::InternalError => Problem::internal(format!(
            "a response with status {status} and without a body"
        )),
        _ => Problem::new(kind, kind.entry().title),
    }
}

/// Logs the cause of a problem, if it has one. Causes are logged only here. Returns the cause if the
/// broker itself failed.
pub fn report(problem: &Problem) -> Option<String> {
    let cause = problem.cause_chain()?;
    log::error!("{}: {cause}", problem.kind().entry().code);
    (problem.kind() == Kind::InternalError).then_some(cause)
}

/// Converts the panic of a handler. Its message is only logged.
pub fn from_panic(panic: &(dyn Any + Send)) -> Problem {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Problem::internal(format!(
        "a handler panicked: {}",
        message.unwrap_or("no message")
    ))
}
