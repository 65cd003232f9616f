//! The `Idempotency-Key` header.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::http::problem::Problem;

const NAME: &str = "idempotency-key";

/// The key, if the request has one: 1 to 255 visible ASCII characters.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(pub Option<String>);

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut sent = request.headers().get_all(NAME);
        let key = match (sent.next(), sent.next()) {
            (None, _) => return ready(Ok(Self(None))),
            (Some(key), None) => key.to_str().ok().filter(|key| is_key(key)),
            (Some(_), Some(_)) => None,
        };
        ready(match key {
            Some(key) => Ok(Self(Some(key.to_owned()))),
            None => Err(Problem::field(
                "/idempotency-key",
                "expected one header of 1 to 255 visible ASCII characters",
            )),
        })
    }
}

fn is_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
