//! When a request has to be answered at the latest.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use tokio::time::Instant;

use crate::http::middleware::edge::Patience;
use crate::http::problem::Problem;

/// A moment shortly before the edge gives the request up: a handler that answers by then can still
/// say what it knows. Make it an argument before the body, whose arrival counts too.
#[derive(Clone, Copy, Debug)]
pub struct AnswerBy(pub Instant);

impl FromRequest for AnswerBy {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Patience(patience) = Patience::of(request);
        ready(Ok(Self(Instant::now() + patience * 9 / 10)))
    }
}
