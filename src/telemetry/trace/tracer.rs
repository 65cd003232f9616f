//! Starts spans.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use opentelemetry::trace::{
    Link, SpanBuilder, SpanContext, SpanKind, TraceContextExt as _, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanExporter as _};
use reqwest::redirect;
use secrecy::ExposeSecret as _;

use super::context::RemoteContext;
use super::export::{EXPORT_TIMEOUT, Exporter};
use super::options::{Endpoint, Options};
use super::queue;
use super::span::Span;
use crate::telemetry::Metrics;

/// The name of the instrumentation in exports.
const SCOPE: &str = "upload-broker";

/// Starts spans. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tracer(Arc<SdkTracer>);

/// Why traces cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The system lacks what an HTTP client needs.
    #[error("no HTTP client for traces")]
    Client(#[from] reqwest::Error),
    /// The exporter rejects a setting.
    #[error("the exporter of traces cannot be built")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// A header cannot be sent.
    #[error("a header for the receiver of traces is invalid")]
    Header(#[from] http::header::InvalidHeaderValue),
}

/// Creates a tracer, and the exporter that sends its spans while it runs.
///
/// # Errors
/// See [`BuildError`].
pub fn build(options: &Options, metrics: Arc<Metrics>) -> Result<(Tracer, Exporter), BuildError> {
    let resource = resource(options);
    let mut sender = sender(&options.endpoint)?;
    sender.set_resource(&resource);
    let (queue, spans) = queue::new(Arc::clone(&metrics));
    let root = Sampler::TraceIdRatioBased(options.ratio);
    let sampler = match options.parent_based {
        true => Sampler::ParentBased(Box::new(root)),
        false => root,
    };
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(sampler)
        .with_span_processor(queue)
        .build();
    let tracer = Tracer(Arc::new(provider.tracer(SCOPE)));
    Ok((tracer, Exporter::new(provider, spans, sender, metrics)))
}

fn resource(options: &Options) -> Resource {
    let further = options.resource.iter().cloned();
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", uuid::Uuid::now_v7().to_string()),
            KeyValue::new("telemetry.sdk.language", "rust"),
            KeyValue::new("telemetry.sdk.name", "opentelemetry"),
        ])
        .with_attributes(further.map(|(name, value)| KeyValue::new(name, value)))
        .with_service_name(options.service_name.clone())
        .build()
}

/// Credentials are sent to no other host, so redirects are not followed.
fn sender(endpoint: &Endpoint) -> Result<SpanExporter, BuildError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &endpoint.headers {
        let mut value = HeaderValue::from_str(value.expose_secret())?;
        value.set_sensitive(true);
        headers.insert(name.clone(), value);
    }
    let client = reqwest::Client::builder()
        .default_headers(headers)
        .timeout(EXPORT_TIMEOUT)
        .redirect(redirect::Policy::none())
        .build()?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(endpoint.url.as_str())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    Ok(exporter)
}

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

    pub(super) fn start(
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
        Span::started(self.0.build_with_context(builder, &parent), self.clone())
    }
}
