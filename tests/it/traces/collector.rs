//! An OpenTelemetry collector: decodes the spans that the broker exports.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue as Any, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span as WireSpan;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;

use crate::support::app::{App, Setup};
use crate::support::observe::eventually;
use crate::support::receiver::{Answer, Receiver};

/// An exported span. Ids are in hexadecimal digits.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: String,
    pub kind: SpanKind,
    pub trace: String,
    pub id: String,
    /// Empty for the first span of a trace.
    pub parent: String,
    pub attributes: BTreeMap<String, String>,
    pub links: Vec<String>,
    pub state: String,
    /// The attributes of the process.
    pub resource: BTreeMap<String, String>,
}

impl Span {
    /// Returns an attribute.
    #[track_caller]
    pub fn attribute(&self, name: &str) -> &str {
        let value = self.attributes.get(name);
        value.unwrap_or_else(|| panic!("no {name} in {self:#?}"))
    }
}

/// The collector.
pub struct Collector(pub Receiver);

impl Collector {
    /// Starts a collector that accepts everything.
    pub fn new() -> Collector {
        let receiver = Receiver::new();
        receiver.answer(Answer::Status(200));
        Collector(receiver)
    }

    /// Returns the URL for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.0.address())
    }

    /// Starts a broker that exports to this collector.
    pub async fn start_app(&self) -> App {
        self.setup().start().await
    }

    /// The setup of a broker that exports to this collector.
    pub fn setup(&self) -> Setup {
        Setup::new().set("OTEL_EXPORTER_OTLP_ENDPOINT", self.url())
    }

    /// Returns all spans so far.
    pub fn spans(&self) -> Vec<Span> {
        let all = self.0.all();
        all.iter()
            .flat_map(|export| decode(&export.bytes))
            .collect()
    }

    /// Returns the spans of one trace so far.
    pub fn trace(&self, trace: u128) -> Vec<Span> {
        let trace = format!("{trace:032x}");
        let mut spans = self.spans();
        spans.retain(|span| span.trace == trace);
        spans
    }

    /// Waits for a span of a trace whose name starts like this, and returns it.
    pub async fn wait_for(&self, trace: u128, name: &str) -> Span {
        let found = || {
            let mut spans = self.trace(trace).into_iter();
            spans.find(|span| span.name.starts_with(name))
        };
        eventually(&format!("a span {name} in trace {trace:x}"), async || {
            found().is_some()
        })
        .await;
        found().expect("a span")
    }
}

fn decode(export: &[u8]) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(export).expect("an export");
    let mut spans = Vec::new();
    for of_resource in request.resource_spans {
        let resource = of_resource.resource.expect("a resource");
        let resource = texts(&resource.attributes);
        for of_scope in of_resource.scope_spans {
            spans.extend(of_scope.spans.iter().map(|span| span_of(span, &resource)));
        }
    }
    spans
}

fn span_of(span: &WireSpan, resource: &BTreeMap<String, String>) -> Span {
    Span {
        name: span.name.clone(),
        kind: span.kind(),
        trace: hex::encode(&span.trace_id),
        id: hex::encode(&span.span_id),
        parent: hex::encode(&span.parent_span_id),
        attributes: texts(&span.attributes),
        links: (span.links.iter())
            .map(|link| hex::encode(&link.trace_id))
            .collect(),
        state: span.trace_state.clone(),
        resource: resource.clone(),
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<Any>| match value.as_ref().and_then(|any| any.value.as_ref()) {
        Some(AnyValue::StringValue(text)) => text.clone(),
        Some(AnyValue::IntValue(number)) => number.to_string(),
        other => panic!("an attribute of another type: {other:?}"),
    };
    let pairs = attributes.iter();
    pairs
        .map(|pair| (pair.key.clone(), text(&pair.value)))
        .collect()
}
