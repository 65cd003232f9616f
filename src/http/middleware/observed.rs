//! The span of a request, and the report if the broker itself fails.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::web;
use uuid::Uuid;

use crate::http::access::{self, Access, POLLED};
use crate::telemetry::reports::{Fault, FaultKind, Reporter, RequestFacts};
use crate::telemetry::trace::{self, RemoteContext, Scope, Span, SpanKind, Tracer};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// What observes a request besides the log and the metrics.
pub(super) struct Observed {
    span: Span,
    /// The span of the caller, if the broker records none.
    caller: Option<Scope>,
    reporter: Option<web::Data<Reporter>>,
    /// The pattern of the route, for a handler that panics: then the request no longer exists.
    route: Option<String>,
}

impl Observed {
    /// Starts the span, if traces are recorded. Requests that machines send every few seconds have
    /// none.
    pub(super) fn new(request: &ServiceRequest) -> Self {
        let headers = request.headers();
        let caller = caller_of(headers);
        let tracer = request.app_data::<web::Data<Tracer>>();
        let reporter = request.app_data::<web::Data<Reporter>>().cloned();
        let (span, caller) = match tracer.filter(|_| !POLLED.contains(&request.path())) {
            Some(tracer) => {
                let caller = caller.map(|caller| with_state(caller, headers));
                let name = method_name(request.method());
                (tracer.root_span(name, SpanKind::Server, caller), None)
            }
            None => (Span::none(), caller.map(Scope::of_caller)),
        };
        let needs_route = reporter.is_some() || span.is_recorded();
        let route = needs_route
            .then(|| access::route(request.request()))
            .flatten();
        Self {
            span,
            caller,
            reporter,
            route,
        }
    }

    /// The scope of the work on the request.
    pub(super) fn scope(&self) -> Option<Scope> {
        self.span.own_scope().or_else(|| self.caller.clone())
    }

    /// Ends the span.
    pub(super) fn end(&mut self, access: &Access<'_>, request_id: &str) {
        let mut span = std::mem::take(&mut self.span);
        if !span.is_recorded() {
            return;
        }
        let method = method_name(access.method);
        let route = access.route.or(self.route.as_deref());
        if let Some(route) = route {
            span.rename(format!("{method} {route}"));
            span.set("http.route", route.to_owned());
        }
        span.set("http.request.method", method);
        span.set(
            "http.response.status_code",
            i64::from(access.status.as_u16()),
        );
        span.set("upload_broker.request_id", request_id.to_owned());
        // Only an id: a client may send any text in its place.
        if let Some(upload) = access.upload.and_then(|text| Uuid::try_parse(text).ok()) {
            span.set("upload_broker.upload_id", upload.to_string());
        }
        if let Some(tenant) = access.tenant {
            span.set("upload_broker.tenant", tenant.to_owned());
        }
        if access.status.is_server_error() {
            span.fail(access.status.as_u16().to_string());
        }
    }

    /// Reports a fault of the broker, if reports are enabled.
    pub(super) fn report(
        &self,
        kind: FaultKind,
        cause: String,
        access: &Access<'_>,
        request_id: &str,
    ) {
        let Some(reporter) = &self.reporter else {
            return;
        };
        let route = access.route.or(self.route.as_deref());
        reporter.report(Fault {
            kind,
            cause,
            request: Some(RequestFacts {
                id: request_id.to_owned(),
                trace_id: trace::trace_id(),
                span_id: trace::span_id(),
                method: method_name(access.method).to_owned(),
                route: route.map(str::to_owned),
                tenant: access.tenant.map(str::to_owned),
            }),
            task: None,
        });
    }
}

fn caller_of(headers: &HeaderMap) -> Option<RemoteContext> {
    RemoteContext::parse(headers.get(TRACEPARENT)?.to_str().ok()?)
}

/// Adds `tracestate`, which may be divided among several headers.
fn with_state(caller: RemoteContext, headers: &HeaderMap) -> RemoteContext {
    let states: Vec<&str> = (headers.get_all(TRACESTATE))
        .filter_map(|state| state.to_str().ok())
        .collect();
    match states.is_empty() {
        true => caller,
        false => caller.with_state(&states.join(",")),
    }
}

/// A known method. A client can send any word as a method.
///
/// Source: <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>
fn method_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let known = KNOWN.into_iter().find(|known| method.as_str() == *known);
    known.unwrap_or("_OTHER")
}
