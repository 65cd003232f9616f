//! How long calls to S3, SNS and SQS may take: one set for all of them.

use std::path::PathBuf;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

use super::parse::{Seconds, fraction};
use super::reader::Reader;
use super::variable::Variable;
use super::variables::{
    AWS_CA_BUNDLE, BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS, BROKER_AWS_CONNECT_TIMEOUT_SECONDS,
    BROKER_AWS_TIMEOUT_SECONDS, BROKER_REQUEST_TIMEOUT_SECONDS, SSL_CERT_DIR, SSL_CERT_FILE,
};

/// Attempts of a call: the first one and two more. The SDK waits between them, growing and
/// jittered, and stops early when a whole service fails.
const ATTEMPTS: u32 = 3;

/// Time limits of calls to AWS; each is at most the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aws {
    /// To open a connection.
    pub connect: Duration,
    /// For one attempt.
    pub attempt: Duration,
    /// For all attempts and the waiting between them.
    pub total: Duration,
    /// Certificates of authorities, as a PEM file, that are believed beside the system's.
    pub ca_bundle: Option<PathBuf>,
}

impl Aws {
    /// Reads them; none may be longer than a `request` may take.
    pub(super) fn read(reader: &mut Reader<'_>, request: Duration) -> Option<Self> {
        let read = |reader: &mut Reader<'_>, variable, usual, most| {
            let otherwise = Seconds(Duration::from_secs(usual).min(most));
            reader.derived(variable, fraction(3600), otherwise)
        };
        let longest = Duration::MAX;
        let total = read(reader, &BROKER_AWS_TIMEOUT_SECONDS, 12, request);
        let most = total.map_or(longest, |total| total.0);
        let attempt = read(reader, &BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS, 5, most);
        let most = attempt.map_or(longest, |attempt| attempt.0);
        let connect = read(reader, &BROKER_AWS_CONNECT_TIMEOUT_SECONDS, 2, most);
        let ca_bundle = reader.optional(&AWS_CA_BUNDLE, |path| Ok(PathBuf::from(path)));
        // The TLS library reads these two itself.
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
        for (part, variable, whole, other) in pairs {
            if part > whole {
                let whole = Seconds(whole);
                let detail = format!("must be at most {}, which is {whole}", other.name);
                reader.fault(variable, detail);
            }
        }
    }

    /// The limits as the SDK takes them. A call that waits on purpose (a long poll) names how
    /// long; others name nothing.
    pub fn timeouts(&self, waits: Duration) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt.saturating_add(waits))
            .operation_timeout(self.total.saturating_add(waits))
            .build()
    }

    /// `config` with these limits, and with retries that stay within them. Clients of every
    /// service that are made from it have both.
    pub fn with_limits(&self, config: SdkConfig) -> SdkConfig {
        config
            .into_builder()
            .timeout_config(self.timeouts(Duration::ZERO))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .build()
    }
}
