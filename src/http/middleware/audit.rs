//! Writes audit records for the requests to the API.
//!
//! The action comes from the handler, as an extension of its response
//! ([`Audited`](crate::http::audited::Audited)); this module adds the caller, the client address
//! and the request id. Rejected requests are recognized by their problem. If a request that may
//! change data gets no response (the client disconnected, a timeout, a panic), or a response that
//! does not say what was done (an internal fault), it is recorded as `request.unsettled`, because
//! the change may have been made.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::{HttpRequest, web};

use crate::domain::audit::{Action, ActionDetails, Actor, Origin};
use crate::domain::principal::Principal;
use crate::http::client_address::ClientAddress;
use crate::http::extract::path::target_of;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind;
use crate::http::{access, audited};
use crate::telemetry::log::request_id;
use crate::usecases::Broker;

/// What is known about a request before its handler runs.
pub(super) struct RequestAudit {
    /// `None` if the audit is off.
    broker: Option<web::Data<Broker>>,
    actor: Actor,
    address: Option<IpAddr>,
    request_id: Option<Arc<str>>,
    /// The method, the route pattern and the URI of a request that may change data. `None` once the
    /// outcome is recorded.
    change: Option<(Method, Option<String>, Uri)>,
}

impl RequestAudit {
    /// The audit of a request by `actor`.
    fn of(request: &ServiceRequest, actor: Actor) -> Self {
        let broker = request.app_data::<web::Data<Broker>>();
        let broker = broker.filter(|broker| broker.rules.audited).cloned();
        let is_change = broker.is_some() && *request.method() != Method::GET;
        Self {
            broker,
            actor,
            address: ClientAddress::of(request.request()).map(|client| client.0),
            request_id: request_id(),
            change: is_change.then(|| {
                let pattern = access::route(request.request());
                (request.method().clone(), pattern, request.uri().clone())
            }),
        }
    }

    /// The audit of a request by an authenticated caller.
    pub(super) fn of_caller(request: &ServiceRequest, principal: &Arc<Principal>) -> Self {
        Self::of(request, Actor::Caller(Arc::clone(principal)))
    }

    /// The audit of a request without a valid credential.
    pub(super) fn of_anonymous(request: &ServiceRequest) -> Self {
        Self::of(request, Actor::Anonymous)
    }

    /// Records what the response says about the outcome of the request.
    pub(super) fn record_outcome(mut self, response: &mut ServiceResponse<BoxBody>) {
        if self.broker.is_none() {
            return;
        }
        for details in audited::take(response) {
            self.record(None, details);
        }
        if let Some(details) = failure_record(response) {
            let request = response.request();
            let pattern = access::route(request);
            let operation = operation(request.method(), pattern.as_deref());
            self.record(operation, with_target(details, pattern.as_deref(), request));
        }
        self.change = None;
    }

    fn record(&self, operation: Option<String>, details: ActionDetails) {
        let Some(broker) = &self.broker else {
            return;
        };
        let origin = Origin {
            actor: self.actor.clone(),
            address: self.address,
            request_id: self.request_id.clone(),
        };
        broker
            .audit
            .record(broker.clock.now(), origin, operation, details);
    }
}

impl Drop for RequestAudit {
    /// Records a request that may change data and whose outcome was not recorded.
    fn drop(&mut self) {
        if let Some((method, pattern, uri)) = self.change.take() {
            let pattern = pattern.as_deref();
            let target = target_of(pattern.unwrap_or_default(), uri.path());
            let details = ActionDetails {
                upload_id: target.upload_id,
                path: target.path,
                ..ActionDetails::new(Action::RequestUnsettled)
            };
            self.record(operation(&method, pattern), details);
        }
    }
}

/// The audit record of a failed request, if it is audited.
fn failure_record(response: &ServiceResponse<BoxBody>) -> Option<ActionDetails> {
    let problem = (response.response().error()).and_then(|error| error.as_error::<Problem>());
    if let Some(problem) = problem
        && let Some(details) = rejection_record(problem)
    {
        return Some(details);
    }
    let is_change = *response.request().method() != Method::GET;
    (is_change && response.status().is_server_error()).then(|| ActionDetails {
        code: problem.map(|problem| problem.kind().entry().code),
        ..ActionDetails::new(Action::RequestUnsettled)
    })
}

/// The audit record of a rejected request, if it is audited: the caller lacks a right, exceeded its
/// rate limit, or named something that belongs to another tenant. An unknown upload id is recorded
/// too, because the id of another tenant's upload cannot be distinguished from it, not even here.
pub fn rejection_record(problem: &Problem) -> Option<ActionDetails> {
    use crate::domain::refusal::Code::UploadNotFound;
    let entry = problem.kind().entry();
    let is_denied = matches!(
        entry.status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
    );
    let is_audited =
        is_denied || problem.is_escape_attempt() || problem.kind() == Kind::Refused(UploadNotFound);
    is_audited.then(|| ActionDetails {
        path: problem.forbidden_path().map(str::to_owned),
        code: Some(entry.code),
        ..ActionDetails::new(Action::RequestRefused)
    })
}

/// Adds the upload or dataset that the path of the request names, if the record has none.
fn with_target(
    details: ActionDetails,
    pattern: Option<&str>,
    request: &HttpRequest,
) -> ActionDetails {
    let target = target_of(pattern.unwrap_or_default(), request.uri().path());
    ActionDetails {
        upload_id: details.upload_id.or(target.upload_id),
        path: details.path.or(target.path),
        ..details
    }
}

/// The method and the route pattern. Never the raw path: one that matches no route may contain
/// anything.
fn operation(method: &Method, pattern: Option<&str>) -> Option<String> {
    pattern.map(|pattern| format!("{method} {pattern}"))
}
