//! Builds the tracer and the exporter.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use super::export::Exporter;
use super::options::Options;
use super::queue;
use super::send::{BuildError, Sender};
use super::tracer::Tracer;
use crate::telemetry::Metrics;

/// The name of the instrumentation in exports.
const SCOPE: &str = "upload-broker";

/// Creates a tracer, and the exporter that sends its spans while it runs.
///
/// # Errors
/// See [`BuildError`].
pub fn build(options: &Options, metrics: Arc<Metrics>) -> Result<(Tracer, Exporter), BuildError> {
    let resource = resource(options);
    let sender = Sender::new(&options.endpoint, &resource)?;
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
    let tracer = Tracer::new(provider.tracer(SCOPE));
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
