//! What is written down of each request: one log line and one measurement.
//!
//! Never the query string, never the raw path: a path may carry a token, and a label per dataset
//! would grow without bound. The route's pattern and the upload's id are enough.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BodySize;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage as _, HttpRequest};

use super::client_address::ClientAddress;
use crate::domain::principal::Principal;
use crate::telemetry::metrics::Http;

/// Routes that machines ask every few seconds: logged at `debug`, and answered under any load.
pub(super) const POLLED: [&str; 4] = ["/heartbeat", "/livez", "/readyz", "/metrics"];

/// A request that was answered.
#[derive(Debug)]
pub struct Access<'a> {
    /// As it was sent, HEAD too.
    pub method: &'a Method,
    /// The pattern of the route; nothing where none matched.
    pub route: Option<&'a str>,
    /// The `{id}` of `/uploads/{id}`.
    pub upload: Option<&'a str>,
    /// Nothing on public routes.
    pub tenant: Option<&'a str>,
    /// Where it came from.
    pub client: Option<ClientAddress>,
    /// Of the answer.
    pub status: StatusCode,
    /// The size of the answer's body.
    pub body: BodySize,
    /// Until the head of the answer was ready.
    pub took: Duration,
}

impl Access<'_> {
    /// Writes the line.
    pub fn log(&self) {
        let route = self.route.unwrap_or("unmatched");
        let level = if POLLED.contains(&route) {
            log::Level::Debug
        } else {
            log::Level::Info
        };
        let status = self.status.as_u16();
        log::log!(
            target: "upload_broker::access",
            level,
            method = self.method.as_str(),
            route = route,
            status = status,
            micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
            bytes = self.bytes(),
            upload = self.upload,
            tenant = self.tenant,
            client = self.client.map(|client| client.to_string());
            "answered"
        );
    }

    /// Takes the measurement.
    pub fn measure(&self, metrics: &Http) {
        let status = self.status.as_u16();
        metrics.answered(self.method.as_str(), self.route, status, self.took);
        match self.status {
            StatusCode::UNAUTHORIZED => metrics.refused("unauthenticated"),
            StatusCode::FORBIDDEN => metrics.refused("insufficient-scope"),
            _ => {}
        }
    }

    /// A stream tells its length to nobody.
    fn bytes(&self) -> Option<u64> {
        match self.body {
            BodySize::None => Some(0),
            BodySize::Sized(bytes) => Some(bytes),
            BodySize::Stream => None,
        }
    }
}

/// The pattern of a request's route, as the document writes it: `/datasets/{path}`.
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
