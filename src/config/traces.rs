//! Traces: where spans are sent, and which of them.
//!
//! The variables are those of the OpenTelemetry specification:
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/> and
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.

use std::fmt;
use std::str::FromStr as _;

use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use super::reader::{Reader, Section};
use super::variables::{
    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_HEADERS_FILE,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME,
    OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG,
};

/// The path that is added to `OTEL_EXPORTER_OTLP_ENDPOINT`.
const TRACES_PATH: &str = "v1/traces";
/// The resource attribute that names the service.
const SERVICE_NAME: &str = "service.name";
/// Its value if no setting names the service.
const DEFAULT_SERVICE_NAME: &str = "upload-broker";

/// Where spans are sent, and which of them.
#[derive(Clone, Debug)]
pub struct Traces {
    /// The URL that spans are posted to.
    pub endpoint: Url,
    /// Headers of these requests: names and secret values.
    pub headers: Vec<(HeaderName, SecretString)>,
    /// The name of the service.
    pub service_name: String,
    /// Further attributes of the resource.
    pub resource: Vec<(String, String)>,
    /// Which traces are recorded.
    pub sampler: Sampler,
}

/// Which traces are recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// Whether the decision of the caller applies, if it sent one.
    pub parent_based: bool,
    /// The fraction of the traces for which the broker decides itself, from 0 to 1.
    pub ratio: f64,
}

/// The names of `OTEL_TRACES_SAMPLER` that the broker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SamplerName {
    parent_based: bool,
    root: Root,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    AlwaysOn,
    AlwaysOff,
    Ratio,
}

/// The section; `None` if no endpoint is set.
impl Section for Option<Traces> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let base = reader.optional(&OTEL_EXPORTER_OTLP_ENDPOINT, endpoint);
        let traces = reader.optional(&OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, endpoint);
        let headers = reader.secret(
            &OTEL_EXPORTER_OTLP_HEADERS,
            &OTEL_EXPORTER_OTLP_HEADERS_FILE,
            headers,
        );
        let resource = reader.optional(&OTEL_RESOURCE_ATTRIBUTES, attributes);
        let named = (resource.as_ref().and_then(Option::as_ref)).and_then(|attributes| {
            let mut names = attributes.iter().filter(|(name, _)| name == SERVICE_NAME);
            names.next_back().map(|(_, value)| value.clone())
        });
        let service_name = reader.derived(
            &OTEL_SERVICE_NAME,
            |text| Ok(text.to_owned()),
            named.unwrap_or_else(|| DEFAULT_SERVICE_NAME.to_owned()),
        );
        let sampler = reader.value(&OTEL_TRACES_SAMPLER, sampler);
        let ratio = reader.optional(&OTEL_TRACES_SAMPLER_ARG, ratio);
        let (base, traces, headers) = (base?, traces?, headers?);
        let (resource, service_name) = (resource?.unwrap_or_default(), service_name?);
        let (sampler, ratio) = (sampler?, ratio?);
        let Some(endpoint) = traces.or_else(|| base.map(with_traces_path)) else {
            return Some(None);
        };
        Some(Some(Traces {
            endpoint,
            headers: headers.unwrap_or_default(),
            service_name,
            resource: (resource.into_iter())
                .filter(|(name, _)| name != SERVICE_NAME)
                .collect(),
            sampler: Sampler {
                parent_based: sampler.parent_based,
                ratio: match sampler.root {
                    Root::AlwaysOn => 1.0,
                    Root::AlwaysOff => 0.0,
                    Root::Ratio => ratio.unwrap_or(1.0),
                },
            },
        }))
    }
}

/// A URL of a receiver. Credentials belong into the headers, which are never shown.
fn endpoint(text: &str) -> Result<Url, String> {
    let expected = "must be an http or https URL without user, password, query and fragment, such \
         as http://collector:4318";
    let url = Url::parse(text).map_err(|error| format!("{expected} ({error})"))?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    match url.scheme() {
        "http" | "https" if is_plain => Ok(url),
        _ => Err(expected.to_owned()),
    }
}

fn with_traces_path(mut base: Url) -> Url {
    let path = format!("{}/{TRACES_PATH}", base.path().trim_end_matches('/'));
    base.set_path(&path);
    base
}

/// Comma-separated pairs `name=value`, whose values may be percent-encoded. Errors do not contain
/// them.
fn headers(text: &str) -> Result<Vec<(HeaderName, SecretString)>, String> {
    let expected = "must be comma-separated headers: name=value,other=value; commas and spaces in \
         a value are percent-encoded";
    let pair = |(name, value): (String, String)| {
        let name = HeaderName::from_str(&name).ok()?;
        HeaderValue::from_str(&value).ok()?;
        Some((name, SecretString::from(value)))
    };
    let pairs = pairs(text).and_then(|pairs| pairs.into_iter().map(pair).collect());
    pairs.ok_or_else(|| expected.to_owned())
}

fn attributes(text: &str) -> Result<Vec<(String, String)>, String> {
    let expected = "must be comma-separated attributes: name=value,other=value; commas and spaces \
         in a value are percent-encoded";
    pairs(text).ok_or_else(|| expected.to_owned())
}

/// `None` if a pair has no name or no `=`, or a value is not UTF-8 after decoding.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    (text.split(',').map(str::trim))
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (name.trim(), percent_decode_str(value.trim()));
            let value = value.decode_utf8().ok()?.into_owned();
            (!name.is_empty()).then(|| (name.to_owned(), value))
        })
        .collect()
}

fn sampler(text: &str) -> Result<SamplerName, String> {
    let (parent_based, root) = match text.strip_prefix("parentbased_") {
        Some(root) => (true, root),
        None => (false, text),
    };
    let root = match root {
        "always_on" => Root::AlwaysOn,
        "always_off" => Root::AlwaysOff,
        "traceidratio" => Root::Ratio,
        _ => {
            return Err("must be parentbased_always_on, parentbased_always_off, \
                 parentbased_traceidratio, always_on, always_off or traceidratio"
                .to_owned());
        }
    };
    Ok(SamplerName { parent_based, root })
}

fn ratio(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err("must be a number from 0 to 1".to_owned()),
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.ratio * 100.0;
        match self.parent_based {
            true => write!(f, "{percent} % of the traces that no caller has decided on"),
            false => write!(f, "{percent} % of all traces"),
        }
    }
}
