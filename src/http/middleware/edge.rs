//! The outermost layer: what holds for every answer, whatever happened inside.
//!
//! It names the request, turns every failure (a panic too) into a problem, logs the cause of a
//! fault of ours once, sets the headers that every answer carries, and counts.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, web};
use futures::FutureExt as _;

use super::cors::{Origins, Reader};
use super::failure;
use super::head::{CameAsHead, HeadOnly};
use super::request_id;
use crate::http::access::{self, Access};
use crate::http::client_address::{self, ClientAddress};
use crate::http::problem::Problem;
use crate::http::problem::detached::DetachedProblem;
use crate::telemetry::Metrics;
use crate::telemetry::log::with_request_id;

/// How long a request may take until the head of its answer is ready; 30 s where no app data
/// says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Patience(pub Duration);

impl Patience {
    /// That with this request.
    pub fn of(request: &HttpRequest) -> Self {
        let patience = request.app_data::<web::Data<Self>>();
        patience.map_or(Self(Duration::from_secs(30)), |patience| ***patience)
    }
}

/// Whether this listener speaks TLS; it does not where no app data says so.
#[derive(Clone, Copy, Debug)]
pub struct Secure(pub bool);

/// For a year, browsers come back by TLS alone (RFC 6797); said over TLS only (section 7.2). Our
/// host's other names are not ours.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// What the edge keeps of a request: the request itself belongs to the handler.
struct Seen {
    id: String,
    instance: String,
    method: Method,
    start: Instant,
    client: Option<ClientAddress>,
    /// The client came by TLS, as a trusted proxy says, or as this listener speaks.
    secure: bool,
    reader: Reader,
    metrics: Option<web::Data<Metrics>>,
}

impl Seen {
    fn write_down(&self, access: &Access<'_>) {
        access.log();
        if let Some(metrics) = &self.metrics {
            access.measure(&metrics.http);
        }
    }
}

/// Runs the request and finishes its answer.
pub async fn edge(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let seen = Seen {
        id: request_id::choose(request.headers()),
        instance: request.uri().path().to_owned(),
        method: request.method().clone(),
        start: Instant::now(),
        client: client_address::learn(&request),
        secure: client_address::came_by_tls(&request).unwrap_or_else(|| {
            let listener = request.app_data::<web::Data<Secure>>();
            listener.is_some_and(|listener| listener.0)
        }),
        reader: (request.app_data::<web::Data<Origins>>())
            .map_or(Reader::Anybody, |origins| origins.reader(&request)),
        metrics: request.app_data().cloned(),
    };
    let Patience(patience) = Patience::of(request.request());
    // Routes speak GET only; the connection itself leaves the body of an answer to HEAD away.
    if seen.method == Method::HEAD {
        request.head_mut().method = Method::GET;
        request.extensions_mut().insert(CameAsHead);
    }
    let in_flight = seen.metrics.as_ref().map(|metrics| metrics.http.begin());
    let id = seen.id.clone();
    let inner = AssertUnwindSafe(next.call(request)).catch_unwind();
    let inner = tokio::time::timeout(patience, inner);
    with_request_id(id, async move {
        let _in_flight = in_flight;
        match inner.await {
            Ok(Ok(Ok(response))) => Ok(finish(&seen, response.map_into_boxed_body())),
            Ok(Ok(Err(error))) => Err(give_up(&seen, failure::of_stranger(&error))),
            Ok(Err(panic)) => Err(give_up(&seen, failure::of_panic(&*panic))),
            Err(_) => Err(give_up(
                &seen,
                Problem::unavailable("The broker", "no patience left"),
            )),
        }
    })
    .await
}

fn finish(seen: &Seen, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let mut response = failure::render(response, &seen.instance, &seen.id);
    set_headers(response.headers_mut(), seen);
    let request = response.request();
    let (route, tenant) = (access::route(request), access::tenant(request));
    seen.write_down(&Access {
        method: &seen.method,
        route: route.as_deref(),
        upload: request.match_info().get("id"),
        tenant: tenant.as_deref(),
        client: seen.client,
        status: response.status(),
        body: response.response().body().size(),
        took: seen.start.elapsed(),
    });
    if seen.method == Method::HEAD {
        response.map_body(|_, body| BoxBody::new(HeadOnly(body.size())))
    } else {
        response
    }
}

/// The request is gone (its handler panicked, or a layer failed): the answer must do without.
fn give_up(seen: &Seen, problem: Problem) -> Error {
    failure::report(&problem);
    let mut headers = HeaderMap::new();
    set_headers(&mut headers, seen);
    seen.write_down(&Access {
        method: &seen.method,
        route: None,
        upload: None,
        tenant: None,
        client: seen.client,
        status: problem.kind().entry().status,
        body: BodySize::Stream,
        took: seen.start.elapsed(),
    });
    DetachedProblem::new(problem, &seen.instance, &seen.id, headers).into()
}

fn set_headers(headers: &mut HeaderMap, seen: &Seen) {
    if let Ok(id) = HeaderValue::from_str(&seen.id) {
        headers.insert(request_id::HEADER, id);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    if seen.secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    seen.reader.tell(headers);
}
