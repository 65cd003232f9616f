//! The audit's witness: sees what becomes of every request to the API, and has it written down.
//!
//! What was done comes from the handler, with its answer ([`Noted`](crate::http::noted::Noted));
//! who it was, where from and under which request id is known here. Refusals are told by their
//! problem. A request that was to change something and gets no answer (its caller hung up, it took
//! too long, a panic), or one that says nothing of what was done (a fault of ours), is told too:
//! what had begun may have been done.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::{HttpRequest, web};

use crate::domain::audit::{Action, Actor, Deed, Who};
use crate::domain::principal::Principal;
use crate::http::client_address::ClientAddress;
use crate::http::extract::path::named;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind;
use crate::http::{access, noted};
use crate::telemetry::log::request_id;
use crate::usecases::Broker;

/// What is known of a request before its handler runs.
pub(super) struct Witness {
    /// Nothing where nobody wants to know.
    broker: Option<web::Data<Broker>>,
    actor: Actor,
    address: Option<IpAddr>,
    request_id: Option<Arc<str>>,
    /// Of a request that was to change something: its method, the pattern of its route, and what
    /// was asked for.
    change: Option<(Method, Option<String>, Uri)>,
}

impl Witness {
    /// Of a request by `actor`.
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

    /// Of a request by an authenticated caller.
    pub(super) fn of_caller(request: &ServiceRequest, principal: &Arc<Principal>) -> Self {
        Self::of(request, Actor::Caller(Arc::clone(principal)))
    }

    /// Of a request by somebody without a credential that counts.
    pub(super) fn of_anyone(request: &ServiceRequest) -> Self {
        Self::of(request, Actor::Anonymous)
    }

    /// Has written down what became of the request.
    pub(super) fn saw(mut self, response: &mut ServiceResponse<BoxBody>) {
        if self.broker.is_none() {
            return;
        }
        for deed in noted::take(response) {
            self.tell(None, deed);
        }
        if let Some(deed) = told_by(response) {
            let request = response.request();
            let pattern = access::route(request);
            let operation = operation(request.method(), pattern.as_deref());
            self.tell(operation, located(deed, pattern.as_deref(), request));
        }
        self.change = None;
    }

    fn tell(&self, operation: Option<String>, deed: Deed) {
        let Some(broker) = &self.broker else {
            return;
        };
        let who = Who {
            actor: self.actor.clone(),
            address: self.address,
            request_id: self.request_id.clone(),
        };
        broker
            .audit
            .record(broker.clock.now(), who, operation, deed);
    }
}

impl Drop for Witness {
    /// Nobody saw the answer.
    fn drop(&mut self) {
        if let Some((method, pattern, uri)) = self.change.take() {
            let pattern = pattern.as_deref();
            let named = named(pattern.unwrap_or_default(), uri.path());
            let deed = Deed {
                upload_id: named.upload_id,
                path: named.path,
                ..Deed::new(Action::RequestUnsettled)
            };
            self.tell(operation(&method, pattern), deed);
        }
    }
}

/// What an answer that is no success tells the audit, if anything.
fn told_by(response: &ServiceResponse<BoxBody>) -> Option<Deed> {
    let problem = (response.response().error()).and_then(|error| error.as_error::<Problem>());
    if let Some(problem) = problem
        && let Some(deed) = refused(problem)
    {
        return Some(deed);
    }
    let is_change = *response.request().method() != Method::GET;
    (is_change && response.status().is_server_error()).then(|| Deed {
        code: problem.map(|problem| problem.kind().entry().code),
        ..Deed::new(Action::RequestUnsettled)
    })
}

/// A refusal for the audit: somebody who may not, or a reach for what is another's. An id that
/// nobody has and one of another tenant are the same to everybody, also here.
pub fn refused(problem: &Problem) -> Option<Deed> {
    use crate::domain::refusal::Code::UploadNotFound;
    let entry = problem.kind().entry();
    let may_not = matches!(
        entry.status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
    );
    let is_told = may_not || problem.leads_out() || problem.kind() == Kind::Refused(UploadNotFound);
    is_told.then(|| Deed {
        path: problem.forbidden_path().map(str::to_owned),
        code: Some(entry.code),
        ..Deed::new(Action::RequestRefused)
    })
}

/// The deed, with what the request names where it does not say so itself.
fn located(deed: Deed, pattern: Option<&str>, request: &HttpRequest) -> Deed {
    let named = named(pattern.unwrap_or_default(), request.uri().path());
    Deed {
        upload_id: deed.upload_id.or(named.upload_id),
        path: deed.path.or(named.path),
        ..deed
    }
}

/// Never the raw path: one that matches no route may hold anything.
fn operation(method: &Method, pattern: Option<&str>) -> Option<String> {
    pattern.map(|pattern| format!("{method} {pattern}"))
}
