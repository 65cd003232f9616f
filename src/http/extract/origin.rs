//! Who sent a request, and from where, for the audit.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use crate::domain::audit::{Actor, Origin};
use crate::domain::principal::Principal;
use crate::http::client_address::ClientAddress;
use crate::http::problem::Problem;
use crate::telemetry::log::request_id;

/// The origin of a request, for an operation that writes audit records of its own because its work
/// may outlive the request.
#[derive(Clone, Debug)]
pub struct RequestOrigin(pub Origin);

impl FromRequest for RequestOrigin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Arc<Principal>>().cloned();
        ready(Ok(Self(Origin {
            actor: caller.map_or(Actor::Anonymous, Actor::Caller),
            address: ClientAddress::of(request).map(|client| client.0),
            request_id: request_id(),
        })))
    }
}
