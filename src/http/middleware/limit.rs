//! Callers that call too often are told when to come again.
//!
//! An address is looked at before anything else of a request, authentication included, so that
//! guessing keys is bounded as well; a principal once it is known. Where no limit is set nothing
//! happens. What machines ask to learn how we are is always answered.

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

/// A token that was taken, or was not there, and whose limit that is.
type Asked = (&'static str, Rate, Taken);

/// Takes a token of the client's address.
pub async fn limit_addresses(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let asked = ask_for_address(&request);
    go_on(asked, request, next).await
}

/// Takes a token of the principal that authentication has left with the request.
pub async fn limit_principals(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let asked = ask_for_principal(&request);
    go_on(asked, request, next).await
}

fn ask_for_address(request: &ServiceRequest) -> Option<Asked> {
    let limits = request.app_data::<web::Data<Limits>>()?;
    let limit = limits.addresses.as_ref()?;
    if POLLED.contains(&request.path()) {
        return None;
    }
    let client = ClientAddress::of(request.request())?;
    let taken = limits.take(limit, limit::network(client));
    Some((limit.name, limit.rate, taken))
}

fn ask_for_principal(request: &ServiceRequest) -> Option<Asked> {
    let limits = request.app_data::<web::Data<Limits>>()?;
    let limit = limits.principals.as_ref()?;
    let extensions = request.extensions();
    let principal = extensions.get::<Arc<Principal>>()?;
    let taken = limits.take(limit, principal.rate_limit_key());
    Some((limit.name, limit.rate, taken))
}

async fn go_on(
    asked: Option<Asked>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some((name, rate, taken)) = asked else {
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
