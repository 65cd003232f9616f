//! What the paths in an answer begin with.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use crate::http::middleware::path_token::{PathToken, START};
use crate::http::problem::Problem;

/// Nothing; `/t/{token}` where the request came that way, so that its client can follow the paths
/// of the answer as they are.
#[derive(Clone, Debug, Default)]
pub struct Base(Option<PathToken>);

impl Base {
    /// Of a request with this token in its path.
    pub fn of(token: Option<PathToken>) -> Self {
        Self(token)
    }

    /// A path of ours, as this client reaches it: as secret as the token in it. It is for the
    /// answer, which is not ours to wipe.
    pub fn join(&self, path: &str) -> String {
        match &self.0 {
            Some(token) => format!("{START}{}{path}", token.expose()),
            None => path.to_owned(),
        }
    }
}

impl FromRequest for Base {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request.extensions().get().cloned())))
    }
}
