//! Two `serve` processes over one database, bucket and topic, each dependency of each of them
//! behind a gate of its own, and both mortal.

use std::sync::Mutex;

use super::cloud;
use super::database;
use super::gate::Gate;
use super::inbox::Inbox;
use super::process::{Process, Run};
use super::serving::{Caller, Place};

/// How many replicas there are.
pub const REPLICAS: usize = 2;

/// The usual settings: sessions and leases end within seconds, so that what nobody finishes is soon
/// looked at.
const USUAL: [(&str, &str); 8] = [
    ("BROKER_LEASE_SECONDS", "5"),
    ("BROKER_URL_SECONDS", "4"),
    ("BROKER_EXPIRY_GRACE_SECONDS", "1"),
    ("BROKER_JANITOR_PERIOD_SECONDS", "1"),
    ("BROKER_DB_CONNECT_TIMEOUT_SECONDS", "2"),
    ("BROKER_DB_POOL_SIZE", "8"),
    ("BROKER_HTTP_WORKERS", "1"),
    ("BROKER_MIGRATE", "false"),
];

/// Everything that a story with replicas needs.
pub struct Fleet {
    pub place: Place,
    pub inbox: Inbox,
    pub replicas: [Replica; REPLICAS],
    /// Between clients and S3: the endpoint in pre-signed URLs.
    pub clients: Gate,
    key: String,
    http: reqwest::Client,
}

/// One replica and what it depends on.
pub struct Replica {
    pub postgres: Gate,
    pub s3: Gate,
    pub sns: Gate,
    run: Run,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    process: Option<Process>,
    /// Where it listens, or did.
    url: String,
    /// What those before it have said.
    logs: String,
}

impl Fleet {
    /// Two replicas with the usual settings, and these.
    pub async fn start(settings: &[(&str, String)]) -> Fleet {
        let (place, inbox) = (Place::new().await, Inbox::new().await);
        let clients = Gate::new(cloud::address());
        let key = place.key().await;
        let replica = || {
            let [s3, sns] = [(); 2].map(|()| Gate::new(cloud::address()));
            let postgres = Gate::new(database::address());
            let run = USUAL
                .iter()
                .fold(place.serve(), |run, (name, value)| run.set(name, value))
                .set("DATABASE_URL", place.database.url_through(postgres.addr()))
                .set("AWS_ENDPOINT_URL_S3", s3.endpoint())
                .set("AWS_ENDPOINT_URL_SNS", sns.endpoint())
                .set("BROKER_S3_PUBLIC_ENDPOINT", clients.endpoint())
                .set("BROKER_SNS_TOPIC_ARN", &inbox.topic_arn)
                .with(settings);
            Replica {
                postgres,
                s3,
                sns,
                run,
                state: Mutex::default(),
            }
        };
        let replicas = [replica(), replica()];
        let http = reqwest::Client::builder()
            .timeout(std::time::Duration::from_secs(20))
            .build();
        let fleet = Fleet {
            place,
            inbox,
            replicas,
            clients,
            key,
            http: http.expect("an HTTP client"),
        };
        futures::future::join_all(fleet.replicas.iter().map(Replica::start)).await;
        fleet
    }

    /// A caller of the replica `which`, as it runs now.
    pub fn caller(&self, which: usize) -> Caller {
        Caller {
            url: self.replicas[which].url(),
            key: self.key.clone(),
            http: self.http.clone(),
        }
    }

    /// Statements past the brokers.
    pub async fn sql(&self) -> tokio_postgres::Client {
        database::connect(self.place.database.url()).await
    }

    /// Every gate, as new.
    pub fn restore(&self) {
        self.clients.restore();
        for replica in &self.replicas {
            for gate in [&replica.postgres, &replica.s3, &replica.sns] {
                gate.restore();
            }
        }
    }
}

impl Replica {
    /// Starts it and waits until it listens.
    pub async fn start(&self) {
        let mut process = self.run.clone().spawn();
        let url = process.ready().await;
        let mut state = self.state.lock().unwrap();
        (state.process, state.url) = (Some(process), url);
    }

    /// Starts it and does not wait; its address stays unknown until [`start`](Self::start).
    pub fn begin(&self) {
        self.state.lock().unwrap().process = Some(self.run.clone().spawn());
    }

    /// `kill -9`, at this very moment.
    pub async fn kill(&self) {
        if let Some(process) = self.take() {
            let ended = process.stop("KILL").await;
            self.state.lock().unwrap().logs += &ended.err;
        }
    }

    /// SIGTERM; it must end well.
    pub async fn stop(&self) {
        if let Some(process) = self.take() {
            let ended = process.stop("TERM").await.ok();
            self.state.lock().unwrap().logs += &ended.err;
        }
    }

    /// Where it listens, or did before it died.
    pub fn url(&self) -> String {
        self.state.lock().unwrap().url.clone()
    }

    /// All that it, and those before it, have said.
    pub fn log(&self) -> String {
        let state = self.state.lock().unwrap();
        let now = state.process.as_ref().map(Process::log);
        state.logs.clone() + &now.unwrap_or_default()
    }

    fn take(&self) -> Option<Process> {
        self.state.lock().unwrap().process.take()
    }
}
