//! Two `serve` processes with one database, bucket and topic. Each dependency of each process is behind its
//! own gate, and both processes can be killed.

use std::sync::Mutex;

use super::cloud;
use super::database;
use super::gate::Gate;
use super::inbox::Inbox;
use super::process::{Process, Run};
use super::serving::{Caller, Place};

/// The number of replicas.
pub const REPLICAS: usize = 2;

/// The default settings. Sessions and leases end within seconds, so that unfinished work is soon taken over.
const DEFAULTS: [(&str, &str); 8] = [
    ("BROKER_LEASE_SECONDS", "5"),
    ("BROKER_URL_SECONDS", "4"),
    ("BROKER_EXPIRY_GRACE_SECONDS", "1"),
    ("BROKER_JANITOR_PERIOD_SECONDS", "1"),
    ("BROKER_DB_CONNECT_TIMEOUT_SECONDS", "2"),
    ("BROKER_DB_POOL_SIZE", "8"),
    ("BROKER_HTTP_WORKERS", "1"),
    ("BROKER_MIGRATE", "false"),
];

/// The replicas and their common environment.
pub struct Fleet {
    pub place: Place,
    pub inbox: Inbox,
    pub replicas: [Replica; REPLICAS],
    /// The gate between clients and S3: the endpoint in pre-signed URLs.
    pub clients: Gate,
    key: String,
    http: reqwest::Client,
}

/// One replica and the gates in front of its dependencies.
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
    /// The URL of the current or last process.
    url: String,
    /// The logs of the previous processes.
    logs: String,
}

impl Fleet {
    /// Starts two replicas with the default settings and the given ones.
    pub async fn start(settings: &[(&str, String)]) -> Fleet {
        let (place, inbox) = (Place::new().await, Inbox::new().await);
        let clients = Gate::new(cloud::address());
        let key = place.key().await;
        let replica = || {
            let [s3, sns] = [(); 2].map(|()| Gate::new(cloud::address()));
            let postgres = Gate::new(database::address());
            let run = DEFAULTS
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

    /// Returns a caller of the current process of the replica `which`.
    pub fn caller(&self, which: usize) -> Caller {
        Caller {
            url: self.replicas[which].url(),
            key: self.key.clone(),
            http: self.http.clone(),
        }
    }

    /// Connects to the database directly.
    pub async fn sql(&self) -> tokio_postgres::Client {
        database::connect(self.place.database.url()).await
    }

    /// Opens every gate.
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
    /// Starts a process and waits until it listens.
    pub async fn start(&self) {
        let mut process = self.run.clone().spawn();
        let url = process.ready().await;
        let mut state = self.state.lock().unwrap();
        (state.process, state.url) = (Some(process), url);
    }

    /// Starts a process without waiting. Its address is unknown until [`start`](Self::start) is called.
    pub fn begin(&self) {
        self.state.lock().unwrap().process = Some(self.run.clone().spawn());
    }

    /// Kills the process with SIGKILL.
    pub async fn kill(&self) {
        if let Some(process) = self.take() {
            let ended = process.stop("KILL").await;
            self.state.lock().unwrap().logs += &ended.err;
        }
    }

    /// Stops the process with SIGTERM. Fails unless it exits successfully.
    pub async fn stop(&self) {
        if let Some(process) = self.take() {
            let ended = process.stop("TERM").await.ok();
            self.state.lock().unwrap().logs += &ended.err;
        }
    }

    /// Returns the URL of the current process, or of the last one.
    pub fn url(&self) -> String {
        self.state.lock().unwrap().url.clone()
    }

    /// Returns the logs of the current process and of all previous ones.
    pub fn log(&self) -> String {
        let state = self.state.lock().unwrap();
        let now = state.process.as_ref().map(Process::log);
        state.logs.clone() + &now.unwrap_or_default()
    }

    fn take(&self) -> Option<Process> {
        self.state.lock().unwrap().process.take()
    }
}
