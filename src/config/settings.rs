//! All sections together.

use std::fmt::Write as _;
use std::time::Duration;

use super::audit::Audit;
use super::auth::{Auth, check_loopback};
use super::reader::{Reader, Section};
use super::report::Effective;
use super::variable::Fallback;
use super::variables::{AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, VARIABLES};
use super::{
    Aws, Database, Dev, Fault, Http, Identity, Janitor, Log, Notify, S3, S3Events, Uploads,
};

/// Everything that can be set, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Postgres.
    pub database: Database,
    /// The HTTP server.
    pub http: Http,
    /// Who may call.
    pub auth: Auth,
    /// Whether callers' deeds are written down.
    pub audit: Audit,
    /// Whose tokens are believed.
    pub identity: Identity,
    /// The bucket.
    pub s3: S3,
    /// Limits and deadlines of uploads.
    pub uploads: Uploads,
    /// What the janitor does, and when.
    pub janitor: Janitor,
    /// Where events go.
    pub notify: Notify,
    /// Time limits of calls to AWS.
    pub aws: Aws,
    /// Where S3's own events come from.
    pub s3_events: S3Events,
    /// The log.
    pub log: Log,
    /// The embedded stack.
    pub dev: Dev,
    effective: Vec<Effective>,
}

impl Settings {
    /// Reads and checks all settings.
    ///
    /// # Errors
    /// Every fault of every variable.
    pub fn load(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(&lookup);
        let settings = Self::read(&mut reader);
        let (settings, mut effective) = reader.finish(settings).map_err(|mut faults| {
            faults.sort_by_key(|fault| place(fault.variable));
            faults
        })?;
        effective.sort_by_key(|line| place(line.variable.name));
        Ok(Self {
            effective,
            ..settings
        })
    }

    /// Every variable as it is in effect, in the order of the table, secrets hidden.
    pub fn effective(&self) -> &[Effective] {
        &self.effective
    }

    /// One line a variable, secrets hidden: what `check-config` prints.
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
        // All are read before the first `?`, so that the faults of all are found.
        let http = Http::read(reader);
        // A request has to outlast what it calls. One that cannot be read is a fault already.
        let request = http
            .as_ref()
            .map_or(Duration::MAX, |http| http.request_timeout);
        let database = Database::read(reader, request);
        let auth = Auth::read(reader);
        let audit = Audit::read(reader);
        let identity = Identity::read(reader);
        let s3 = S3::read(reader);
        let uploads = Uploads::read(reader);
        let janitor = Janitor::read(reader);
        let notify = Notify::read(reader);
        let aws = Aws::read(reader, request);
        let s3_events = S3Events::read(reader);
        let log = Log::read(reader);
        let dev = Dev::read(reader);
        note_sdk(reader);
        if let (Some(auth), Some(http)) = (auth, &http) {
            check_loopback(auth, http.bind, reader);
        }
        Some(Self {
            database: database?,
            http: http?,
            auth: auth?,
            audit: audit?,
            identity: identity?,
            s3: s3?,
            uploads: uploads?,
            janitor: janitor?,
            notify: notify?,
            aws: aws?,
            s3_events: s3_events?,
            log: log?,
            dev: dev?,
            effective: Vec::new(),
        })
    }
}

/// Notes which of the AWS SDK's variables are set, but for the two that the S3 section reads.
fn note_sdk(reader: &mut Reader<'_>) {
    let read = [AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL];
    for variable in VARIABLES {
        if variable.fallback == Fallback::Sdk && !read.contains(variable) {
            reader.is_set(variable);
        }
    }
}

fn place(name: &str) -> Option<usize> {
    VARIABLES.iter().position(|known| known.name == name)
}
