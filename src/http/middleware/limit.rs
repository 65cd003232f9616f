//! Rate limits by client address and by principal.
//!
//! The limit of the address applies before authentication, so that it also limits attempts to guess
//! keys. The limit of the principal applies after it. Without a configured limit, nothing happens.
//! The routes that machines poll have no limit.

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};

use crate::config::Rate;
use crate::domain::principal::Principal;
use crate::http::access::POLLED;
use crate::http::client_address::ClientAddress;
use crate::http::limit::{self, Limits, Taken, headers};
use crate::http::problem::Problem;

/// The name and the rate of a limit, and the result of taking a token.
type LimitCheck = (&'static str, Rate, Taken);

/// Applies the limit of the client address.
pub async fn limit_addresses(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let check = check_address(&request);
    apply(check, request, next).await
}

/// Applies the limit of the authenticated principal.
pub async fn limit_principals(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let check = check_principal(&request);
    apply(check, request, next).await
}

fn check_address(request: &ServiceRequest) -> Option<LimitCheck> {
    let limits = request.app_data::<web::Data<Limits>>()?;
    let limit = limits.addresses.as_ref()?;
    if POLLED.contains(&request.path()) {
        return None;
    }
    let client = ClientAddress::of(request.request())?;
    let taken = limits.take(limit, limit::network(client));
    Some((limit.name, limit.rate, taken))
}

fn check_principal(request: &ServiceRequest) -> Option<LimitCheck> {
    let limits = request.app_data::<web::Data<Limits>>()?;
    let limit = limits.principals.as_ref()?;
    let extensions = request.extensions();
    let principal = extensions.get::<Arc<Principal>>()?;
    let taken = limits.take(limit, principal.rate_limit_key());
    Some((limit.name, limit.rate, taken))
}

async fn apply(
    check: Option<LimitCheck>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some((name, rate, taken)) = check else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let mut response = if taken.granted {
        next.call(request).await?.map_into_boxed_body()
    } else {
        let wait = headers::seconds(taken.wait);
        request.error_response(Problem::rate_limited(name, wait))
    };
    headers::add(response.headers_mut(), name, rate, taken);
    Ok(response)
}
