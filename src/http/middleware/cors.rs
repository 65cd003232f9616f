//! CORS with credentials for the configured origins, which are compared exactly. There are none by
//! default.
//!
//! Source: <https://fetch.spec.whatwg.org/#http-cors-protocol>

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

const EXPOSED: HeaderValue = HeaderValue::from_static(
    "link, location, etag, ratelimit, ratelimit-policy, retry-after, x-request-id",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, DELETE");
/// The request headers of the API, and those that tracing libraries in browsers add to every
/// request: W3C Trace Context and Baggage (OpenTelemetry, Sentry), the headers of Sentry and
/// Datadog, the one that older libraries send, and those of Uppy.
const HEADERS: &str = "authorization, content-type, idempotency-key, x-request-id, accept, \
    last-event-id, baggage, sentry-trace, traceparent, tracestate, x-requested-with, \
    x-datadog-origin, x-datadog-parent-id, x-datadog-sampling-priority, x-datadog-tags, \
    x-datadog-trace-id, uppy-auth-token, uppy-credentials-params";
/// The prefix of the headers of Datadog, whose libraries add new ones from time to time.
const DATADOG_PREFIX: &str = "x-datadog-";
const PREFLIGHT_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// The origins that may read responses, such as `https://app.example.org`, and the headers that
/// their pages may send.
#[derive(Clone, Debug)]
pub struct Origins {
    origins: Vec<String>,
    headers: String,
}

impl Origins {
    /// Allows these origins. `more_headers` are request headers in addition to the built-in ones.
    pub fn new(origins: Vec<String>, more_headers: &[String]) -> Self {
        let headers = std::iter::once(HEADERS).chain(more_headers.iter().map(String::as_str));
        Self {
            origins,
            headers: headers.collect::<Vec<_>>().join(", "),
        }
    }

    /// Decides which page may read the response to a request.
    pub fn access_for(&self, request: &ServiceRequest) -> CorsAccess {
        match self.origins.is_empty() {
            true => CorsAccess::Disabled,
            false => CorsAccess::Origin(self.allowed(request.headers())),
        }
    }

    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.origins
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
            .then(|| origin.clone())
    }

    /// The request headers that a page may send: the built-in ones, and requested headers of
    /// Datadog.
    fn headers_for(&self, asked: &HeaderMap) -> Option<HeaderValue> {
        let mut headers = self.headers.clone();
        let asked = asked.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS);
        let asked = asked.filter_map(|line| line.to_str().ok());
        for name in asked.flat_map(|line| line.split(',')) {
            let name = name.trim().to_ascii_lowercase();
            if name.starts_with(DATADOG_PREFIX) && HeaderName::from_bytes(name.as_bytes()).is_ok() {
                headers.push_str(", ");
                headers.push_str(&name);
            }
        }
        HeaderValue::from_str(&headers).ok()
    }
}

/// Which page may read a response.
pub enum CorsAccess {
    /// CORS is not configured. No page may, and the response does not depend on the origin.
    Disabled,
    /// Only a page of this origin may; `None` if the origin of the request is not allowed.
    Origin(Option<HeaderValue>),
}

impl CorsAccess {
    /// Adds the CORS headers. Every response needs them, problems too, because otherwise a page
    /// cannot even read the status.
    pub fn add_headers(&self, headers: &mut HeaderMap) {
        let Self::Origin(allowed) = self else {
            return;
        };
        // The response depends on the origin, even if this one is not allowed.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            // The broker sets no cookies, but a proxy in front of it may, or require a client
            // certificate.
            let yes = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

/// Answers preflight requests of allowed origins. `edge` adds the headers that let pages read
/// responses.
pub async fn cors(
    origins: web::Data<Origins>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if is_preflight(&request) && origins.allowed(request.headers()).is_some() {
        let headers = origins.headers_for(request.headers());
        return Ok(request.into_response(preflight(headers)));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn is_preflight(request: &ServiceRequest) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(headers: Option<HeaderValue>) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    response
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS));
    if let Some(headers) = headers {
        response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, headers));
    }
    response.finish()
}
