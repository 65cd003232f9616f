//! All sections of the settings.

use std::fmt::Write as _;
use std::time::Duration;

use super::audit::Audit;
use super::auth::{Auth, ensure_loopback};
use super::aws::Aws;
use super::database::Database;
use super::dev::Dev;
use super::fault::Fault;
use super::http::Http;
use super::identity::Identity;
use super::janitor::Janitor;
use super::log::Log;
use super::notify::Notify;
use super::processors::Processors;
use super::reader::{Reader, Section};
use super::report::Effective;
use super::roles::Roles;
use super::s3::S3;
use super::s3_events::S3Events;
use super::sentry::Sentry;
use super::traces::Traces;
use super::uploads::Uploads;
use super::variable::Fallback;
use super::variables::{AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, VARIABLES};
use super::webhooks::Webhooks;
use super::worker::Worker;

/// All settings, validated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The connection to Postgres.
    pub database: Database,
    /// What this process runs.
    pub roles: Roles,
    /// The HTTP server.
    pub http: Http,
    /// Whether callers have to authenticate.
    pub auth: Auth,
    /// Whether the actions of callers are recorded in the audit.
    pub audit: Audit,
    /// Which tokens are accepted.
    pub identity: Identity,
    /// The bucket.
    pub s3: S3,
    /// Limits and deadlines of uploads.
    pub uploads: Uploads,
    /// The background work of the janitor.
    pub janitor: Janitor,
    /// The destination of events.
    pub notify: Notify,
    /// Where webhooks may be sent.
    pub webhooks: Webhooks,
    /// The processing of uploads after their proof.
    pub processors: Processors,
    /// Timeouts of calls to AWS.
    pub aws: Aws,
    /// The source of S3 event notifications.
    pub s3_events: S3Events,
    /// Workers.
    pub worker: Worker,
    /// Logging.
    pub log: Log,
    /// Where traces are sent; `None` if they are not recorded.
    pub traces: Option<Traces>,
    /// Where faults are reported to; `None` if they are not reported.
    pub sentry: Option<Sentry>,
    /// The embedded stack of `dev`.
    pub dev: Dev,
    effective: Vec<Effective>,
}

impl Settings {
    /// Reads and validates all settings.
    ///
    /// # Errors
    /// Every fault of every variable.
    pub fn load(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(&lookup);
        let settings = Self::read(&mut reader);
        let (settings, mut effective) = reader.finish(settings).map_err(|mut faults| {
            faults.sort_by_key(|fault| position(fault.variable));
            faults
        })?;
        effective.sort_by_key(|line| position(line.variable.name));
        Ok(Self {
            effective,
            ..settings
        })
    }

    /// The effective values of all variables, in the order of the table, with secrets hidden.
    pub fn effective(&self) -> &[Effective] {
        &self.effective
    }

    /// The text that `check-config` prints: one line per variable, with secrets hidden.
    pub fn report(&self) -> String {
        self.effective
            .iter()
            .fold(String::new(), |mut report, line| {
                // Writing to a String cannot fail.
                let _ = writeln!(report, "{line}");
                report
            })
    }
}

impl Section for Settings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // All sections are read before the first `?`, so that the faults of all of them are found.
        let http = Http::read(reader);
        // The timeout of a request limits the timeouts of the calls that it makes. A timeout that
        // cannot be parsed is already recorded as a fault.
        let request = http
            .as_ref()
            .map_or(Duration::MAX, |http| http.request_timeout);
        let roles = Roles::read(reader);
        let database = Database::read(reader, request);
        let auth = Auth::read(reader);
        let audit = Audit::read(reader);
        let identity = Identity::read(reader);
        let s3 = S3::read(reader);
        let uploads = Uploads::read(reader);
        let janitor = Janitor::read(reader);
        let notify = Notify::read(reader);
        let webhooks = Webhooks::read(reader);
        let processors = Processors::read(reader);
        let aws = Aws::read(reader, request);
        let s3_events = S3Events::read(reader);
        let worker = Worker::read(reader);
        let log = Log::read(reader);
        let traces = Option::<Traces>::read(reader);
        let sentry = Option::<Sentry>::read(reader);
        let dev = Dev::read(reader);
        record_sdk_variables(reader);
        if let (Some(auth), Some(http)) = (auth, &http) {
            ensure_loopback(auth, http.bind, reader);
        }
        Some(Self {
            database: database?,
            roles: roles?,
            http: http?,
            auth: auth?,
            audit: audit?,
            identity: identity?,
            s3: s3?,
            uploads: uploads?,
            janitor: janitor?,
            notify: notify?,
            webhooks: webhooks?,
            processors: processors?,
            aws: aws?,
            s3_events: s3_events?,
            worker: worker?,
            log: log?,
            traces: traces?,
            sentry: sentry?,
            dev: dev?,
            effective: Vec::new(),
        })
    }
}

/// Records which variables of the AWS SDK are set, except for the two that the S3 section reads.
fn record_sdk_variables(reader: &mut Reader<'_>) {
    let read = [AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL];
    for variable in VARIABLES {
        if variable.fallback == Fallback::Sdk && !read.contains(variable) {
            reader.is_set(variable);
        }
    }
}

fn position(name: &str) -> Option<usize> {
    VARIABLES.iter().position(|known| known.name == name)
}
