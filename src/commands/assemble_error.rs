//! Why the components of a broker cannot be built.

use std::net::SocketAddr;

use crate::http::tls::TlsError;
use crate::objects;
use crate::objects::endpoint;
use crate::objects::trust::TrustError;
use crate::store;
use crate::store::pool;

/// Why the components of a broker cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The AWS SDK configuration has no credentials provider.
    #[error("no AWS credentials are configured")]
    NoCredentials,
    /// The SDK cannot resolve the endpoint of the bucket.
    #[error("the S3 endpoint cannot be determined")]
    Endpoint(#[from] endpoint::Error),
    /// The settings of the connection pool are invalid.
    #[error("the connection pool cannot be created")]
    Pool(#[from] pool::BuildError),
    /// The HTTP client for the JWT key set cannot be created.
    #[error("the HTTP client for the JWT key set cannot be created")]
    Issuer(#[source] reqwest::Error),
    /// The HTTP client for webhooks cannot be created.
    #[error("the HTTP client for webhooks cannot be created")]
    Webhooks(#[source] reqwest::Error),
    /// A metric was registered twice.
    #[error("the metrics cannot be registered")]
    Metrics(#[from] prometheus::Error),
    /// The database schema is not up to date.
    #[error("the database schema is not up to date")]
    Migrate(#[from] store::migrations::MigrateError),
    /// A pooler in front of Postgres does not keep sessions.
    #[error("the pooler in front of Postgres does not keep sessions")]
    Sessions(#[source] pool::SessionError),
    /// A worker cannot run the processes of its jobs.
    #[error("the worker cannot start processes")]
    Worker(#[source] std::io::Error),
    /// The settings name a processor that does not exist.
    #[error("BROKER_WORKER_PROCESSORS: there is no processor {0}")]
    UnknownProcessor(String),
    /// The settings name a processor that needs a program which is not installed.
    #[error("BROKER_WORKER_PROCESSORS: {0} needs the program {1}, which PATH does not have")]
    MissingProgram(String, &'static str),
    /// The system lacks what an HTTP client needs.
    #[error("the HTTP client cannot be created")]
    Http(#[source] objects::probe::ProbeError),
    /// An address is in use, or does not belong to this machine.
    #[error("cannot listen on {address} ({variable})")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The setting that configures it.
        variable: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The certificates of AWS_CA_BUNDLE are invalid.
    #[error("AWS_CA_BUNDLE cannot be used")]
    CaBundle(#[source] TrustError),
    /// The certificate files of TLS are invalid.
    #[error("TLS cannot be enabled")]
    Tls(#[from] TlsError),
    /// The exporter of traces cannot be built.
    #[error("traces cannot be recorded")]
    Traces(#[source] crate::telemetry::trace::BuildError),
    /// The HTTP client for reports to Sentry cannot be created.
    #[error("the HTTP client for reports to Sentry cannot be created")]
    Reports(#[source] reqwest::Error),
    /// The system rejects signal handlers.
    #[error("signal handlers cannot be installed")]
    Signals(#[source] std::io::Error),
}
