//! Authentication, before the body is read and before the route is matched.
//!
//! A missing, unknown, expired or revoked credential, and a credential of a disabled tenant, all
//! get the same 401. If Postgres or the issuer does not answer, the response is a 503: no request
//! is admitted, and no valid credential is called invalid.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, web};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use super::audit::RequestAudit;
use crate::domain::principal::Principal;
use crate::http::middleware::path_token::PathToken;
use crate::http::problem::Problem;
use crate::usecases::Broker;
use crate::usecases::identity::authenticate;
use crate::usecases::identity::authenticate::is_upload_token;

type Answer<'a> = LocalBoxFuture<'a, Result<Arc<Principal>, Problem>>;
type Authenticate = dyn for<'a> Fn(Option<&'a str>) -> Answer<'a>;

/// Turns a bearer token (`None` if the request has none) into a principal or a problem. The token
/// is borrowed and never copied, so that there is no copy to wipe from memory.
#[derive(Clone)]
pub struct Authenticator(Rc<Authenticate>);

impl Authenticator {
    /// Creates an authenticator from a function.
    pub fn new(authenticate: impl for<'a> Fn(Option<&'a str>) -> Answer<'a> + 'static) -> Self {
        Self(Rc::new(authenticate))
    }

    /// Creates the authenticator of the broker. If authentication is off, every request is
    /// admitted.
    pub fn of(broker: Arc<Broker>) -> Self {
        Self::new(move |bearer| {
            let broker = Arc::clone(&broker);
            async move {
                if !broker.rules.authentication {
                    let principal = authenticate::unauthenticated(&broker).await?;
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

/// Rejects requests without a valid credential, and adds the [`Principal`] to the others as an
/// extension.
///
/// The responses are for this caller only, and some contain a URL that is a credential. So no cache
/// may store them.
pub async fn authenticate_caller(
    authenticator: web::Data<Authenticator>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let in_path = request.extensions().get().cloned();
    let answer = authenticator.0(bearer(request.request(), in_path.as_ref())).await;
    match answer {
        Ok(principal) => {
            let audit = RequestAudit::of_caller(&request, &principal);
            request.extensions_mut().insert(principal);
            let mut response = next.call(request).await?.map_into_boxed_body();
            let headers = response.headers_mut();
            if !headers.contains_key(header::CACHE_CONTROL) {
                let no_store = HeaderValue::from_static("no-store");
                headers.insert(header::CACHE_CONTROL, no_store);
            }
            audit.record_outcome(&mut response);
            Ok(response)
        }
        Err(problem) => {
            let audit = RequestAudit::of_anonymous(&request);
            let mut response = request.error_response(problem);
            audit.record_outcome(&mut response);
            Ok(response)
        }
    }
}

/// Authenticates the caller of a request once more, for a response that lasts.
///
/// # Errors
/// `unauthenticated` if the credential has ended, and others if that cannot be found out now.
pub async fn authenticate_again(request: &HttpRequest) -> Result<Arc<Principal>, Problem> {
    let authenticator = request.app_data::<web::Data<Authenticator>>();
    let authenticator = authenticator.ok_or_else(Problem::unauthenticated)?;
    let in_path = request.extensions().get().cloned();
    authenticator.0(bearer(request, in_path.as_ref())).await
}

/// The bearer token of a request (RFC 6750, section 2.1). The case of the scheme does not matter
/// (RFC 9110, section 11.1). An upload token in the path has precedence; other credentials are not
/// accepted there.
fn bearer<'a>(request: &'a HttpRequest, in_path: Option<&'a PathToken>) -> Option<&'a str> {
    if let Some(token) = in_path.map(PathToken::expose) {
        return is_upload_token(token).then_some(token);
    }
    let value = request.headers().get(header::AUTHORIZATION)?;
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
