//! Timeouts of calls to S3, SNS, SQS and Textract, the same for all services.

use std::path::PathBuf;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

use super::parse::{Seconds, fractional_seconds};
use super::reader::Reader;
use super::variable::Variable;
use super::variables::{
    AWS_CA_BUNDLE, BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS, BROKER_AWS_CONNECT_TIMEOUT_SECONDS,
    BROKER_AWS_TIMEOUT_SECONDS, BROKER_REQUEST_TIMEOUT_SECONDS, SSL_CERT_DIR, SSL_CERT_FILE,
};

/// Attempts of a call: the first one and two retries. The SDK waits between them with an
/// exponential back-off and jitter, and stops early when a whole service fails.
const ATTEMPTS: u32 = 3;

/// Timeouts of calls to AWS. Each of the first three is at most the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aws {
    /// The timeout for opening a connection.
    pub connect: Duration,
    /// The timeout of one attempt.
    pub attempt: Duration,
    /// The timeout of all attempts and the delays between them.
    pub total: Duration,
    /// A PEM file with certificate authorities that are trusted in addition to the system's.
    pub ca_bundle: Option<PathBuf>,
}

impl Aws {
    /// Reads the timeouts; none may be longer than `request`, the timeout of a request.
    pub(super) fn read(reader: &mut Reader<'_>, request: Duration) -> Option<Self> {
        let read = |reader: &mut Reader<'_>, variable, default, most| {
            let default = Seconds(Duration::from_secs(default).min(most));
            reader.derived(variable, fractional_seconds(3600), default)
        };
        let longest = Duration::MAX;
        let total = read(reader, &BROKER_AWS_TIMEOUT_SECONDS, 12, request);
        let most = total.map_or(longest, |total| total.0);
        let attempt = read(reader, &BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS, 5, most);
        let most = attempt.map_or(longest, |attempt| attempt.0);
        let connect = read(reader, &BROKER_AWS_CONNECT_TIMEOUT_SECONDS, 2, most);
        let ca_bundle = reader.optional(&AWS_CA_BUNDLE, |path| Ok(PathBuf::from(path)));
        // The TLS library reads these two variables itself.
        reader.is_set(&SSL_CERT_FILE);
        reader.is_set(&SSL_CERT_DIR);
        let aws = Self {
            connect: connect?.0,
            attempt: attempt?.0,
            total: total?.0,
            ca_bundle: ca_bundle?,
        };
        aws.check(reader, request);
        Some(aws)
    }

    fn check(&self, reader: &mut Reader<'_>, request: Duration) {
        let pairs: [(Duration, &Variable, Duration, &Variable); 3] = [
            (
                self.connect,
                &BROKER_AWS_CONNECT_TIMEOUT_SECONDS,
                self.attempt,
                &BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS,
            ),
            (
                self.attempt,
                &BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS,
                self.total,
                &BROKER_AWS_TIMEOUT_SECONDS,
            ),
            (
                self.total,
                &BROKER_AWS_TIMEOUT_SECONDS,
                request,
                &BROKER_REQUEST_TIMEOUT_SECONDS,
            ),
        ];
        for (inner, variable, outer, outer_variable) in pairs {
            if inner > outer {
                let outer = Seconds(outer);
                let detail = format!("must be at most {}, which is {outer}", outer_variable.name);
                reader.fault(variable, detail);
            }
        }
    }

    /// The timeouts in the form that the SDK takes. `waits` is added for a call that waits on
    /// purpose, such as a long poll; it is zero for all others.
    pub fn timeouts(&self, waits: Duration) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt.saturating_add(waits))
            .operation_timeout(self.total.saturating_add(waits))
            .build()
    }

    /// Adds these timeouts, and retries that stay within them, to an SDK configuration. They apply
    /// to the clients of every service that are built from it.
    pub fn with_limits(&self, config: SdkConfig) -> SdkConfig {
        config
            .into_builder()
            .timeout_config(self.timeouts(Duration::ZERO))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .build()
    }
}
