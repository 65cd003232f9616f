//! The time by which a handler must respond.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use tokio::time::Instant;

use crate::http::middleware::edge::RequestTimeout;
use crate::http::problem::Problem;

/// A time shortly before the request times out: a handler that returns by then can still report its
/// partial result. Make it an argument before the body, because the time to receive the body counts
/// too.
#[derive(Clone, Copy, Debug)]
pub struct ResponseDeadline(pub Instant);

impl FromRequest for ResponseDeadline {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let RequestTimeout(timeout) = RequestTimeout::of(request);
        ready(Ok(Self(Instant::now() + timeout * 9 / 10)))
    }
}
