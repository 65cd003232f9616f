//! Authentication: before a byte of the body is read, and before routes are told apart.
//!
//! A missing, unknown, expired or revoked credential, and one of a disabled tenant, is the same
//! 401. Where the store does not answer, it is a 503: nobody is let in and nobody is told that
//! the key is bad.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use super::witness::Witness;
use crate::domain::principal::Principal;
use crate::http::middleware::path_token::PathToken;
use crate::http::problem::Problem;
use crate::usecases::Broker;
use crate::usecases::identity::authenticate;
use crate::usecases::identity::authenticate::is_upload_token;

type Answer<'a> = LocalBoxFuture<'a, Result<Arc<Principal>, Problem>>;
type Ask = dyn for<'a> Fn(Option<&'a str>) -> Answer<'a>;

/// Turns a bearer token (nothing where none was sent) into a principal or a problem. The token is
/// lent, and copied by nobody: there is nothing to wipe.
#[derive(Clone)]
pub struct Gate(Rc<Ask>);

impl Gate {
    /// A gate that asks `authenticate`.
    pub fn new(authenticate: impl for<'a> Fn(Option<&'a str>) -> Answer<'a> + 'static) -> Self {
        Self(Rc::new(authenticate))
    }

    /// The gate of the broker: by API key or token, or open where authentication is off.
    pub fn of(broker: Arc<Broker>) -> Self {
        Self::new(move |bearer| {
            let broker = Arc::clone(&broker);
            async move {
                if !broker.rules.authentication {
                    let principal = authenticate::nobody(&broker).await?;
                    return principal.ok_or_else(Problem::unauthenticated);
                }
                let bearer = bearer.ok_or_else(Problem::unauthenticated)?;
                let principal = authenticate::authenticate(&broker, bearer).await?;
                principal.ok_or_else(Problem::unauthenticated)
            }
            .boxed_local()
        })
    }
}

/// Lets only authenticated callers through, and leaves the [`Principal`] with the request.
///
/// What they get is theirs: no cache may keep it. Some of it is a URL that is a credential.
pub async fn only_callers(
    gate: web::Data<Gate>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let in_path = request.extensions().get().cloned();
    let answer = gate.0(bearer(&request, in_path.as_ref())).await;
    match answer {
        Ok(principal) => {
            let witness = Witness::of_caller(&request, &principal);
            request.extensions_mut().insert(principal);
            let mut response = next.call(request).await?.map_into_boxed_body();
            let headers = response.headers_mut();
            if !headers.contains_key(header::CACHE_CONTROL) {
                let no_store = HeaderValue::from_static("no-store");
                headers.insert(header::CACHE_CONTROL, no_store);
            }
            witness.saw(&mut response);
            Ok(response)
        }
        Err(problem) => {
            let witness = Witness::of_anyone(&request);
            let mut response = request.error_response(problem);
            witness.saw(&mut response);
            Ok(response)
        }
    }
}

/// RFC 6750, section 2.1; the scheme's case does not matter (RFC 9110, section 11.1). A token in
/// the path goes before it; anything else there is no credential.
fn bearer<'a>(request: &'a ServiceRequest, in_path: Option<&'a PathToken>) -> Option<&'a str> {
    if let Some(token) = in_path.map(PathToken::expose) {
        return is_upload_token(token).then_some(token);
    }
    let value = request.headers().get(header::AUTHORIZATION)?;
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
