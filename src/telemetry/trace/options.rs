//! How traces are recorded and sent.

use http::HeaderName;
use secrecy::SecretString;
use url::Url;

/// How traces are recorded and sent.
#[derive(Clone, Debug)]
pub struct Options {
    /// The receiver.
    pub endpoint: Endpoint,
    /// The name of the service.
    pub service_name: String,
    /// Further attributes of the resource.
    pub resource: Vec<(String, String)>,
    /// Whether the decision of a caller applies, if it sent one.
    pub parent_based: bool,
    /// The fraction of the traces that are recorded, from 0 to 1, where no caller has decided.
    pub ratio: f64,
}

/// A receiver of OTLP over HTTP.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The URL that spans are posted to.
    pub url: Url,
    /// Headers of the requests: names and secret values.
    pub headers: Vec<(HeaderName, SecretString)>,
}
