//! CORS for the configured origins, compared exactly, with credentials; none by default.
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
/// What our own clients send, and what the tracing libraries of browsers add to every call: W3C
/// Trace Context and Baggage (OpenTelemetry, Sentry), Sentry's own, Datadog's, and the mark of
/// older libraries.
const HEADERS: &str = "authorization, content-type, idempotency-key, x-request-id, accept, \
    baggage, sentry-trace, traceparent, tracestate, x-requested-with, \
    x-datadog-origin, x-datadog-parent-id, x-datadog-sampling-priority, x-datadog-tags, \
    x-datadog-trace-id";
/// Datadog's libraries add to these from time to time.
const PREFIX: &str = "x-datadog-";
const PREFLIGHT_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// The origins that may read our answers, like `https://app.example.org`, and what their pages may
/// send.
#[derive(Clone, Debug)]
pub struct Origins {
    origins: Vec<String>,
    headers: String,
}

impl Origins {
    /// Exactly these origins, and these headers beside the usual ones.
    pub fn new(origins: Vec<String>, more_headers: &[String]) -> Self {
        let headers = std::iter::once(HEADERS).chain(more_headers.iter().map(String::as_str));
        Self {
            origins,
            headers: headers.collect::<Vec<_>>().join(", "),
        }
    }

    /// Who may read the answer to a request.
    pub fn reader(&self, request: &ServiceRequest) -> Reader {
        match self.origins.is_empty() {
            true => Reader::Anybody,
            false => Reader::Page(self.allowed(request.headers())),
        }
    }

    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.origins
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
            .then(|| origin.clone())
    }

    /// What a page may send: the known headers, and those of a known kind that it asks for.
    fn headers_for(&self, asked: &HeaderMap) -> Option<HeaderValue> {
        let mut headers = self.headers.clone();
        let asked = asked.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS);
        let asked = asked.filter_map(|line| line.to_str().ok());
        for name in asked.flat_map(|line| line.split(',')) {
            let name = name.trim().to_ascii_lowercase();
            if name.starts_with(PREFIX) && HeaderName::from_bytes(name.as_bytes()).is_ok() {
                headers.push_str(", ");
                headers.push_str(&name);
            }
        }
        HeaderValue::from_str(&headers).ok()
    }
}

/// Who may read an answer.
pub enum Reader {
    /// No page may, of any origin, and the answer is the same for all.
    Anybody,
    /// A page of this origin; of none where it is not allowed.
    Page(Option<HeaderValue>),
}

impl Reader {
    /// Says so to the browser. Every answer has to, or a page learns nothing but that it failed.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let Self::Page(allowed) = self else {
            return;
        };
        // The answer differs by origin even where this one is not allowed.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            // We set no cookie; a proxy in front of us may, or ask for a certificate.
            let yes = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

/// Answers preflights of allowed origins. What lets them read answers is set at the edge.
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
