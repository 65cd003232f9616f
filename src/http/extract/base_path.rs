//! The start of the paths in a response.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use crate::http::middleware::path_token::{PREFIX, PathToken};
use crate::http::problem::Problem;

/// The start of the paths in a response: empty, or `/t/{token}` if the request had its token in the
/// path, so that the client can follow the paths as they are.
#[derive(Clone, Debug, Default)]
pub struct BasePath(Option<PathToken>);

impl BasePath {
    /// The base path of a request with this token in its path, if any.
    pub fn of(token: Option<PathToken>) -> Self {
        Self(token)
    }

    /// Returns a path of the broker as this client reaches it. It may contain the token, so it is
    /// as secret as that. It ends up in the response, so it cannot be wiped from memory here.
    pub fn join(&self, path: &str) -> String {
        match &self.0 {
            Some(token) => format!("{PREFIX}{}{path}", token.expose()),
            None => path.to_owned(),
        }
    }
}

impl FromRequest for BasePath {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request.extensions().get().cloned())))
    }
}
