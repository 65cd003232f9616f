//! Starts spans: the first ones of this process, and children of the span of the current task.

use std::borrow::Cow;

use opentelemetry::Context;
use opentelemetry::trace::{
    Link, SpanBuilder, SpanContext, SpanKind, TraceContextExt as _, Tracer as _,
};

use super::context::RemoteContext;
use super::current::{self, Scope};
use super::span::Span;
use super::tracer::Tracer;

impl Tracer {
    /// Starts the first span of this process in a trace. `cause` is the context of what caused it;
    /// without one, a trace begins.
    pub fn root_span(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        cause: Option<RemoteContext>,
    ) -> Span {
        self.start(name, kind, cause.map(|cause| cause.0), Vec::new())
    }

    /// Starts the first span of a trace that begins here, with a link to what caused it earlier, if
    /// that is known. Work that is tried again later, or by another process, is a trace of its own.
    pub fn detached_span(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        cause: Option<RemoteContext>,
    ) -> Span {
        let links = cause.into_iter().map(|cause| cause.0).collect();
        self.start(name, kind, None, links)
    }

    fn start(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        parent: Option<SpanContext>,
        links: Vec<SpanContext>,
    ) -> Span {
        let mut builder = SpanBuilder::from_name(name).with_kind(kind);
        if !links.is_empty() {
            let links = links.into_iter().map(Link::with_context);
            builder = builder.with_links(links.collect());
        }
        let parent = match parent {
            Some(parent) => Context::new().with_remote_span_context(parent),
            None => Context::new(),
        };
        Span::started(
            self.sdk().build_with_context(builder, &parent),
            self.clone(),
        )
    }
}

/// Starts a span for a call to another service.
pub fn client_span(name: impl Into<Cow<'static, str>>) -> Span {
    child(name, SpanKind::Client)
}

/// Starts a span for a call to a service of AWS. `operation` is its name there.
pub fn aws_span(service: &'static str, operation: &'static str) -> Span {
    let mut span = client_span(operation);
    span.set_aws_call(service, operation);
    span
}

/// Starts a span for work within this process.
pub fn internal_span(name: impl Into<Cow<'static, str>>) -> Span {
    child(name, SpanKind::Internal)
}

/// Starts a span for work that is done for several scopes at once: a child of the first one that is
/// recorded, with links to the others.
pub fn linked_span<'a>(
    name: &'static str,
    kind: SpanKind,
    scopes: impl Iterator<Item = &'a Scope>,
) -> Span {
    let mut recorded = scopes.filter(|scope| is_recorded(scope));
    match recorded.next() {
        Some(first) => {
            let others = recorded.map(|scope| scope.context.clone());
            start(first, name, kind, others.collect())
        }
        None => Span::none(),
    }
}

fn child(name: impl Into<Cow<'static, str>>, kind: SpanKind) -> Span {
    current::read(|scope| match is_recorded(scope) {
        true => start(scope, name, kind, Vec::new()),
        false => Span::none(),
    })
    .unwrap_or_default()
}

/// Whether children of a scope are recorded, which is decided with its trace.
fn is_recorded(scope: &Scope) -> bool {
    scope.tracer.is_some() && scope.context.is_sampled()
}

fn start(
    scope: &Scope,
    name: impl Into<Cow<'static, str>>,
    kind: SpanKind,
    links: Vec<SpanContext>,
) -> Span {
    match &scope.tracer {
        Some(tracer) => tracer.start(name, kind, Some(scope.context.clone()), links),
        None => Span::none(),
    }
}
