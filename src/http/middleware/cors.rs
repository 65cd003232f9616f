//! CORS for the configured origins, compared exactly, with credentials; none by default.
//!
//! Source: <https://fetch.spec.whatwg.org/#http-cors-protocol>

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};

const EXPOSED: HeaderValue = HeaderValue::from_static(
    "link, location, etag, ratelimit, ratelimit-policy, retry-after, x-request-id",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, DELETE");
const HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, idempotency-key, x-request-id, accept");
const PREFLIGHT_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// The origins that may read our answers, like `https://app.example.org`.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Exactly these.
    pub fn new(origins: Vec<String>) -> Self {
        Self(origins)
    }

    /// Who may read the answer to a request.
    pub fn reader(&self, request: &ServiceRequest) -> Reader {
        match self.0.is_empty() {
            true => Reader::Anybody,
            false => Reader::Page(self.allowed(request.headers())),
        }
    }

    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.0
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
            .then(|| origin.clone())
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
        return Ok(request.into_response(preflight()));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn is_preflight(request: &ServiceRequest) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS))
        .finish()
}
