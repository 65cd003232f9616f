//! The access log line and the metrics of each request.
//!
//! Neither contains the query string or the raw path: a path may contain a token, and the number of
//! metric labels would be unbounded. They contain the pattern of the route and the id of the
//! upload.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BodySize;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage as _, HttpRequest};

use super::client_address::ClientAddress;
use crate::domain::principal::Principal;
use crate::telemetry::log::mask_tokens;
use crate::telemetry::metrics::Http;

/// Routes that machines poll every few seconds. They are logged at level `debug` and have no
/// limits.
pub(super) const POLLED: [&str; 4] = ["/heartbeat", "/livez", "/readyz", "/metrics"];

/// A request and its response.
#[derive(Debug)]
pub struct Access<'a> {
    /// The method as it was sent, including HEAD.
    pub method: &'a Method,
    /// The pattern of the route; `None` if no route matched.
    pub route: Option<&'a str>,
    /// The parameter `{id}` of `/uploads/{id}`.
    pub upload: Option<&'a str>,
    /// The tenant of the caller; `None` on public routes.
    pub tenant: Option<&'a str>,
    /// The address of the client.
    pub client: Option<ClientAddress>,
    /// The status of the response.
    pub status: StatusCode,
    /// The size of the body of the response.
    pub body: BodySize,
    /// The time until the head of the response was ready.
    pub took: Duration,
}

impl Access<'_> {
    /// Writes the log line.
    pub fn log(&self) {
        let route = self.route.unwrap_or("unmatched");
        let level = if POLLED.contains(&route) {
            log::Level::Debug
        } else {
            log::Level::Info
        };
        let status = self.status.as_u16();
        // A client may send a credential in the place of the id.
        let upload = self.upload.map(mask_tokens);
        log::log!(
            target: "upload_broker::access",
            level,
            method = self.method.as_str(),
            route = route,
            status = status,
            micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
            bytes = self.bytes(),
            upload = upload.as_deref(),
            tenant = self.tenant,
            client = self.client.map(|client| client.to_string());
            "answered"
        );
    }

    /// Updates the metrics.
    pub fn measure(&self, metrics: &Http) {
        let status = self.status.as_u16();
        metrics.answered(self.method.as_str(), self.route, status, self.took);
        match self.status {
            StatusCode::UNAUTHORIZED => metrics.refused("unauthenticated"),
            StatusCode::FORBIDDEN => metrics.refused("insufficient-scope"),
            _ => {}
        }
    }

    /// The size of the body in bytes; `None` for a stream, whose size is not known.
    fn bytes(&self) -> Option<u64> {
        match self.body {
            BodySize::None => Some(0),
            BodySize::Sized(bytes) => Some(bytes),
            BodySize::Stream => None,
        }
    }
}

/// The pattern of the route of a request, as OpenAPI writes it: `/datasets/{path}`.
pub fn route(request: &HttpRequest) -> Option<String> {
    let pattern = request.match_pattern()?;
    Some(pattern.replace(":.*}", "}"))
}

/// The tenant of an authenticated request.
pub fn tenant(request: &HttpRequest) -> Option<String> {
    let extensions = request.extensions();
    let principal = extensions.get::<Arc<Principal>>()?;
    Some(principal.tenant.clone())
}
