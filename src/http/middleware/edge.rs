//! The layer that completes every response, whatever the inner layers and the handler did.
//!
//! It chooses the request id, turns every failure and panic into a problem, logs the cause of an
//! internal fault once and reports it, sets the headers that all responses have, writes the access
//! log, measures the request and records its span.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, web};
use futures::FutureExt as _;

use super::cors::{CorsAccess, Origins};
use super::failure;
use super::head::{HeadOnly, OriginallyHead};
use super::observed::Observed;
use super::request_id;
use crate::http::access::{self, Access};
use crate::http::client_address::{self, ClientAddress};
use crate::http::problem::Problem;
use crate::http::problem::detached::DetachedProblem;
use crate::telemetry::Metrics;
use crate::telemetry::log::with_request_id;
use crate::telemetry::reports::FaultKind;
use crate::telemetry::trace::with_scope;

/// The longest time until the head of a response is ready; 30 s if it is not set as app data.
#[derive(Clone, Copy, Debug)]
pub struct RequestTimeout(pub Duration);

impl RequestTimeout {
    /// The timeout of this request.
    pub fn of(request: &HttpRequest) -> Self {
        let timeout = request.app_data::<web::Data<Self>>();
        timeout.map_or(Self(Duration::from_secs(30)), |timeout| ***timeout)
    }
}

/// Whether the listener uses TLS; false if it is not set as app data.
#[derive(Clone, Copy, Debug)]
pub struct Secure(pub bool);

/// For one year, browsers use only TLS for this host (RFC 6797). It is sent over TLS only (section
/// 7.2), and without `includeSubDomains`, because subdomains may belong to other services.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// What this layer keeps about a request, because the request itself is moved to the handler.
struct RequestInfo {
    id: String,
    instance: String,
    method: Method,
    start: Instant,
    client: Option<ClientAddress>,
    /// Whether the client uses TLS, according to a trusted proxy, or else to the listener.
    secure: bool,
    cors: CorsAccess,
    metrics: Option<web::Data<Metrics>>,
}

impl RequestInfo {
    fn record(&self, access: &Access<'_>) {
        access.log();
        if let Some(metrics) = &self.metrics {
            access.measure(&metrics.http);
        }
    }
}

/// Runs the inner layers and completes the response.
pub async fn edge(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let info = RequestInfo {
        id: request_id::choose(request.headers()),
        instance: request.uri().path().to_owned(),
        method: request.method().clone(),
        start: Instant::now(),
        client: client_address::determine(&request),
        secure: client_address::client_uses_tls(request.request()).unwrap_or_else(|| {
            let listener = request.app_data::<web::Data<Secure>>();
            listener.is_some_and(|listener| listener.0)
        }),
        cors: (request.app_data::<web::Data<Origins>>())
            .map_or(CorsAccess::Disabled, |origins| origins.access_for(&request)),
        metrics: request.app_data().cloned(),
    };
    let mut observed = Observed::new(&request);
    let RequestTimeout(timeout) = RequestTimeout::of(request.request());
    // There are routes for GET only. A HEAD request is routed as GET, and its response is sent
    // without the body.
    if info.method == Method::HEAD {
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(OriginallyHead);
    }
    let in_flight = info.metrics.as_ref().map(|metrics| metrics.http.begin());
    let id = info.id.clone();
    let inner = AssertUnwindSafe(next.call(request)).catch_unwind();
    let inner = tokio::time::timeout(timeout, inner);
    let scope = observed.scope();
    let complete = async move {
        let _in_flight = in_flight;
        match inner.await {
            Ok(Ok(Ok(response))) => {
                Ok(finish(&info, &mut observed, response.map_into_boxed_body()))
            }
            Ok(Ok(Err(error))) => {
                let problem = failure::from_error(&error);
                Err(fail(
                    &info,
                    &mut observed,
                    FaultKind::InternalError,
                    problem,
                ))
            }
            Ok(Err(panic)) => {
                let problem = failure::from_panic(&*panic);
                Err(fail(&info, &mut observed, FaultKind::Panic, problem))
            }
            Err(_) => {
                let problem = Problem::unavailable("The broker", "the request timed out");
                Err(fail(
                    &info,
                    &mut observed,
                    FaultKind::InternalError,
                    problem,
                ))
            }
        }
    };
    with_request_id(id, with_scope(scope, complete)).await
}

fn finish(
    info: &RequestInfo,
    observed: &mut Observed,
    response: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    let (mut response, cause) = failure::render(response, &info.instance, &info.id);
    set_headers(response.headers_mut(), info);
    let request = response.request();
    let (route, tenant) = (access::route(request), access::tenant(request));
    let access = Access {
        method: &info.method,
        route: route.as_deref(),
        upload: request.match_info().get("id"),
        tenant: tenant.as_deref(),
        client: info.client,
        status: response.status(),
        body: response.response().body().size(),
        took: info.start.elapsed(),
    };
    info.record(&access);
    observed.end(&access, &info.id);
    if let Some(cause) = cause {
        observed.report(FaultKind::InternalError, cause, &access, &info.id);
    }
    if info.method == Method::HEAD {
        response.map_body(|_, body| BoxBody::new(HeadOnly(body.size())))
    } else {
        response
    }
}

/// Makes the response when the request no longer exists, because its handler panicked, timed out,
/// or a layer failed.
fn fail(info: &RequestInfo, observed: &mut Observed, kind: FaultKind, problem: Problem) -> Error {
    let cause = failure::report(&problem);
    let mut headers = HeaderMap::new();
    set_headers(&mut headers, info);
    let access = Access {
        method: &info.method,
        route: None,
        upload: None,
        tenant: None,
        client: info.client,
        status: problem.kind().entry().status,
        body: BodySize::Stream,
        took: info.start.elapsed(),
    };
    info.record(&access);
    observed.end(&access, &info.id);
    if let Some(cause) = cause {
        observed.report(kind, cause, &access, &info.id);
    }
    DetachedProblem::new(problem, &info.instance, &info.id, headers).into()
}

fn set_headers(headers: &mut HeaderMap, info: &RequestInfo) {
    if let Ok(id) = HeaderValue::from_str(&info.id) {
        headers.insert(request_id::HEADER, id);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    if info.secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    info.cors.add_headers(headers);
}
