//! A problem whose request no longer exists, because the handler that owned it panicked or timed
//! out.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::{HttpResponse, ResponseError};

use super::Problem;

/// A problem with all that its response needs, so that the framework can render it without the
/// request.
#[derive(Debug)]
pub struct DetachedProblem {
    problem: Problem,
    instance: String,
    request_id: String,
    headers: HeaderMap,
}

impl DetachedProblem {
    /// Creates a problem for the request to `instance`. `headers` are added to those of the
    /// problem.
    pub fn new(problem: Problem, instance: &str, request_id: &str, headers: HeaderMap) -> Self {
        Self {
            problem,
            instance: instance.to_owned(),
            request_id: request_id.to_owned(),
            headers,
        }
    }
}

impl fmt::Display for DetachedProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl ResponseError for DetachedProblem {
    fn status_code(&self) -> StatusCode {
        self.problem.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.problem.respond(&self.instance, &self.request_id);
        for (name, value) in &self.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }
}
