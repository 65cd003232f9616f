//! A span that runs.

use opentelemetry::trace::{Span as _, Status};
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::trace::Span as SdkSpan;

use super::context::traceparent_of;
use super::current::{self, Scope};
use super::tracer::Tracer;

/// A span of this process, which ends when it is dropped. Without a trace it is empty, and all
/// methods do nothing.
#[derive(Debug, Default)]
#[must_use = "dropping it ends the span"]
pub struct Span(Option<Box<Started>>);

#[derive(Debug)]
struct Started {
    span: SdkSpan,
    tracer: Tracer,
}

impl Span {
    /// The empty span.
    pub const fn none() -> Self {
        Self(None)
    }

    pub(super) fn started(span: SdkSpan, tracer: Tracer) -> Self {
        Self(Some(Box::new(Started { span, tracer })))
    }

    /// Whether attributes of this span are recorded.
    pub fn is_recorded(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|started| started.span.is_recording())
    }

    /// Sets an attribute. A value must not be a secret.
    pub fn set(&mut self, name: impl Into<Key>, value: impl Into<Value>) {
        if let Some(started) = &mut self.0
            && started.span.is_recording()
        {
            started.span.set_attribute(KeyValue::new(name, value));
        }
    }

    /// Sets an attribute to a number. A number beyond the range of `i64` becomes its maximum.
    pub fn set_number(&mut self, name: &'static str, value: impl TryInto<i64>) {
        self.set(name, value.try_into().unwrap_or(i64::MAX));
    }

    /// Sets the attributes of a call to a service of AWS.
    pub fn set_aws_call(&mut self, service: &'static str, operation: &'static str) {
        self.set("rpc.system", "aws-api");
        self.set("rpc.service", service);
        self.set("rpc.method", operation);
    }

    /// Changes the name.
    pub fn rename(&mut self, name: String) {
        if let Some(started) = &mut self.0 {
            started.span.update_name(name);
        }
    }

    /// Records that something happened now.
    pub fn event(&mut self, name: &'static str) {
        if let Some(started) = &mut self.0 {
            started.span.add_event(name, Vec::new());
        }
    }

    /// Records that the operation failed. `reason` is one of few words, such as a status.
    pub fn fail(&mut self, reason: impl Into<Value>) {
        self.set("error.type", reason);
        if let Some(started) = &mut self.0 {
            started.span.set_status(Status::error(""));
        }
    }

    /// The scope for work under this span. If it is empty, the scope of the current task.
    pub fn scope(&self) -> Option<Scope> {
        self.own_scope().or_else(current::scope)
    }

    /// The scope for work under this span; `None` if it is empty.
    pub fn own_scope(&self) -> Option<Scope> {
        let started = self.0.as_ref()?;
        Some(Scope {
            context: started.span.span_context().clone(),
            tracer: Some(started.tracer.clone()),
        })
    }

    /// The value of `traceparent` for what this span causes; `None` if it is empty.
    pub fn traceparent(&self) -> Option<String> {
        let started = self.0.as_ref()?;
        Some(traceparent_of(started.span.span_context()))
    }
}
