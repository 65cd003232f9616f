//! The HTTP server.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::pages::Pages;
use super::parse::{fractional_seconds, list, number, seconds, socket_address};
use super::rates::Rates;
use super::reader::{Reader, Section};
use super::tls::Tls;
use super::variables::{
    BROKER_BIND, BROKER_CORS_HEADERS, BROKER_CORS_ORIGINS, BROKER_HEAD_TIMEOUT_SECONDS,
    BROKER_HTTP_WORKERS, BROKER_KEEP_ALIVE_SECONDS, BROKER_MAX_BATCH_BODY_BYTES,
    BROKER_MAX_BODY_BYTES, BROKER_MAX_CONNECTIONS, BROKER_MAX_IN_FLIGHT, BROKER_MAX_STREAMS,
    BROKER_MAX_STREAMS_PER_TENANT, BROKER_REQUEST_TIMEOUT_SECONDS, BROKER_SHUTDOWN_SECONDS,
    BROKER_STOP_DELAY_SECONDS, BROKER_WRITE_TIMEOUT_SECONDS,
};

/// How the HTTP server listens, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// The address and port.
    pub bind: SocketAddr,
    /// The certificate files, if the server uses TLS.
    pub tls: Option<Tls>,
    /// Which listeners serve the pages for operators and developers.
    pub pages: Pages,
    /// The origins whose web pages may call the API, exactly as a browser sends them in `Origin`.
    pub cors_origins: Vec<String>,
    /// Request headers that such pages may send in addition to the default ones, in lower case.
    pub cors_headers: Vec<String>,
    /// The rate limits, and the proxies that are trusted to report client addresses.
    pub rates: Rates,
    /// The number of worker threads.
    pub workers: usize,
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// The largest body of a batch request, in bytes.
    pub max_batch_body_bytes: usize,
    /// The most requests in flight.
    pub max_in_flight: usize,
    /// The most client connections.
    pub max_connections: usize,
    /// The most live streams of events.
    pub max_streams: usize,
    /// The most live streams of events of one tenant.
    pub max_streams_per_tenant: usize,
    /// The timeout of a request.
    pub request_timeout: Duration,
    /// How long the head of a request may take to arrive.
    pub head_timeout: Duration,
    /// How long a client may take to read a chunk of a response.
    pub write_timeout: Duration,
    /// How long an idle connection is kept open.
    pub keep_alive: Duration,
    /// How long running work may take to finish after the stop signal.
    pub shutdown: Duration,
    /// How long, within that time, new connections are still accepted.
    pub stop_delay: Duration,
}

impl Section for Http {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let address = reader.value(&BROKER_BIND, socket_address);
        let tls = Option::<Tls>::read(reader);
        let pages = Pages::read(reader);
        let cors_origins = reader.optional(&BROKER_CORS_ORIGINS, list(origin));
        let cors_headers = reader.optional(&BROKER_CORS_HEADERS, list(header_name));
        let rates = Rates::read(reader);
        let workers = reader.derived(&BROKER_HTTP_WORKERS, number(1..=1024), cores);
        let max_body_bytes = reader.value(&BROKER_MAX_BODY_BYTES, number(1024..=16_777_216));
        // The largest limit fits a thousand sessions of 16 KiB each.
        let max_batch_body_bytes =
            reader.value(&BROKER_MAX_BATCH_BODY_BYTES, number(1024..=16_777_216));
        let request_timeout = reader.value(&BROKER_REQUEST_TIMEOUT_SECONDS, seconds(1..=3600));
        let max_in_flight = reader.value(&BROKER_MAX_IN_FLIGHT, number(1..=1_000_000));
        let max_connections = reader.value(&BROKER_MAX_CONNECTIONS, number(1..=1_000_000));
        let derived_streams = max_connections.map_or(1, |most: usize| (most / 4).max(1));
        let max_streams =
            reader.derived(&BROKER_MAX_STREAMS, number(1..=1_000_000), derived_streams);
        let max_streams_per_tenant =
            reader.value(&BROKER_MAX_STREAMS_PER_TENANT, number(1..=1_000_000));
        let head_timeout = reader.value(&BROKER_HEAD_TIMEOUT_SECONDS, seconds(1..=3600));
        let write_timeout = reader.value(&BROKER_WRITE_TIMEOUT_SECONDS, fractional_seconds(3600));
        let keep_alive = reader.value(&BROKER_KEEP_ALIVE_SECONDS, seconds(1..=3600));
        let shutdown = reader.value(&BROKER_SHUTDOWN_SECONDS, seconds(0..=3600));
        let stop_delay = reader.value(&BROKER_STOP_DELAY_SECONDS, seconds(0..=3600));
        let http = Self {
            bind: address?,
            tls: tls?,
            pages: pages?,
            cors_origins: cors_origins?.unwrap_or_default(),
            cors_headers: cors_headers?.unwrap_or_default(),
            rates: rates?,
            workers: workers?,
            max_body_bytes: max_body_bytes?,
            max_batch_body_bytes: max_batch_body_bytes?,
            max_in_flight: max_in_flight?,
            max_connections: max_connections?,
            max_streams: max_streams?,
            max_streams_per_tenant: max_streams_per_tenant?,
            request_timeout: request_timeout?,
            head_timeout: head_timeout?,
            write_timeout: write_timeout?.0,
            keep_alive: keep_alive?,
            shutdown: shutdown?,
            stop_delay: stop_delay?,
        };
        if http.max_connections < http.max_in_flight {
            let (name, most) = (BROKER_MAX_IN_FLIGHT.name, http.max_in_flight);
            let detail = format!("must be at least {name}, which is {most}");
            reader.fault(&BROKER_MAX_CONNECTIONS, detail);
        }
        if http.max_streams > http.max_connections {
            let (name, most) = (BROKER_MAX_CONNECTIONS.name, http.max_connections);
            let detail = format!("must be at most {name}, which is {most}");
            reader.fault(&BROKER_MAX_STREAMS, detail);
        }
        if !http.stop_delay.is_zero() && http.stop_delay >= http.shutdown {
            let detail = format!("must be less than {}", BROKER_SHUTDOWN_SECONDS.name);
            reader.fault(&BROKER_STOP_DELAY_SECONDS, detail);
        }
        for (variable, address) in http.pages.addresses() {
            if address == http.bind && address.port() != 0 {
                let detail = format!("must differ from {}", BROKER_BIND.name);
                reader.fault(variable, detail);
            }
        }
        Some(http)
    }
}

/// Parses an origin as browsers write it (RFC 6454, section 6.2): scheme and host in lower case,
/// and the port only if it is not the default one. Any other spelling would never equal a header.
fn origin(text: &str) -> Result<String, String> {
    if text == "*" {
        return Err(
            "must list exact origins: with *, any web page could call the API with a user's credentials"
                .to_owned(),
        );
    }
    let expected = format!("must be origins such as https://app.example.com; {text:?} is not one");
    let Ok(url) = Url::parse(text) else {
        return Err(expected);
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(expected);
    }
    match url.origin().ascii_serialization() {
        origin if origin == text => Ok(origin),
        origin => Err(format!("must write {text:?} as a browser does: {origin}")),
    }
}

/// Parses a field name of RFC 9110, section 5.1, and converts it to lower case.
fn header_name(text: &str) -> Result<String, String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&byte);
    match text.bytes().all(is_token) {
        true => Ok(text.to_ascii_lowercase()),
        // For requests with credentials, browsers take `*` literally, not as a wildcard.
        false => Err(format!(
            "must be header names such as x-my-trace; {text:?} is not one"
        )),
    }
}
