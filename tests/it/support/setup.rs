//! Configures and starts the broker of a test.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use chrono::{DateTime, Utc};
use upload_broker::clock::Clock;
use upload_broker::commands::assemble::{Cloud, assemble};
use upload_broker::commands::processing_rules;
use upload_broker::config::{Settings, TopicArn};
use upload_broker::domain::principal::Scope;
use upload_broker::domain::rules::ProcessingRules;
use upload_broker::lifecycle::Shutdown;

use super::app::{App, now};
use super::cloud::{self, Bucket};
use super::database::Database;
use super::inbox::Inbox;
use super::leaks::register_setting;
use super::observe::eventually;
use super::shared;
use super::store::Store;

/// The configuration of a broker, as differences from the default.
pub struct Setup {
    settings: BTreeMap<String, String>,
    s3: String,
    credentials: SharedCredentialsProvider,
    bucket_at: String,
    sns: String,
    sqs: String,
    database: Database,
    clock: Clock,
    rules: ProcessingRules,
    topic: bool,
    fifo: bool,
}

impl Setup {
    /// Creates the default configuration.
    pub fn new() -> Setup {
        Setup {
            settings: BTreeMap::new(),
            s3: cloud::endpoint(),
            credentials: SharedCredentialsProvider::new(cloud::credentials()),
            bucket_at: cloud::endpoint(),
            sns: cloud::endpoint(),
            sqs: cloud::endpoint(),
            database: Database::new(),
            clock: Clock::manual(now()),
            rules: ProcessingRules::default(),
            topic: true,
            fifo: false,
        }
    }

    /// Changes a setting.
    pub fn set(mut self, name: &str, value: impl ToString) -> Setup {
        self.settings.insert(name.into(), value.to_string());
        self
    }

    /// Sets the endpoint of S3, for example that of a proxy.
    pub fn s3(mut self, endpoint: String) -> Setup {
        self.s3 = endpoint;
        self
    }

    /// Uses the embedded store instead of ministack.
    pub fn store(mut self, store: &Store) -> Setup {
        self.s3 = store.endpoint();
        self.bucket_at = store.endpoint();
        self
    }

    /// Uses another store instead of ministack.
    pub fn at(mut self, store: SocketAddr) -> Setup {
        self.s3 = format!("http://{store}");
        self.bucket_at.clone_from(&self.s3);
        self
    }

    /// Sets the credentials for S3.
    pub fn credentials(mut self, provider: impl ProvideCredentials + 'static) -> Setup {
        self.credentials = SharedCredentialsProvider::new(provider);
        self
    }

    /// Sets the endpoint of SNS, for example that of a proxy.
    pub fn sns(mut self, endpoint: String) -> Setup {
        self.sns = endpoint;
        self
    }

    /// Sets the database.
    pub fn database(mut self, database: Database) -> Setup {
        self.database = database;
        self
    }

    /// Sets the endpoint of SQS, for example that of a proxy.
    pub fn sqs(mut self, endpoint: String) -> Setup {
        self.sqs = endpoint;
        self
    }

    /// Connects to Postgres through a proxy at `address`.
    pub fn postgres(self, address: std::net::SocketAddr) -> Setup {
        let url = self.database.url_through(address);
        self.set("DATABASE_URL", url)
    }

    /// Sets the time at which the clock starts. Signatures are dated by this clock.
    pub fn clock_at(mut self, start: DateTime<Utc>) -> Setup {
        self.clock = Clock::manual(start);
        self
    }

    /// Sets the processing rules, in TOML.
    pub fn rules(mut self, toml: &str) -> Setup {
        let rules = processing_rules::parse("rules of the test", toml);
        self.rules = rules.unwrap_or_else(|invalid| panic!("{invalid:#?}"));
        self
    }

    /// Configures no topic.
    pub fn without_topic(mut self) -> Setup {
        self.topic = false;
        self
    }

    /// Configures a FIFO topic.
    pub fn fifo(mut self) -> Setup {
        self.fifo = true;
        self
    }

    /// Starts the broker.
    pub async fn start(mut self) -> App {
        let bucket = Bucket::at(&self.bucket_at).await;
        let inbox = if self.fifo {
            Inbox::fifo().await
        } else {
            Inbox::new().await
        };
        for (name, value) in [
            ("DATABASE_URL", self.database.url().to_owned()),
            ("BROKER_BIND", "127.0.0.1:0".into()),
            ("BROKER_S3_BUCKET", bucket.name.clone()),
            ("BROKER_S3_PATH_STYLE", "true".into()),
            // The store is only probed if a test enables it.
            ("BROKER_S3_CONDITIONAL_WRITES", "on".into()),
            ("BROKER_S3_CHECKSUMS", "on".into()),
            ("BROKER_S3_HEAD_CHECKSUMS", "on".into()),
            ("BROKER_MIGRATE", "false".into()),
            ("BROKER_JANITOR_PERIOD_SECONDS", "86400".into()),
            ("BROKER_SWEEP_PERIOD_SECONDS", "0".into()),
            ("BROKER_STALE_MULTIPART_PERIOD_SECONDS", "0".into()),
            ("BROKER_HTTP_WORKERS", "2".into()),
            ("BROKER_DB_CONNECT_TIMEOUT_SECONDS", "2".into()),
            ("BROKER_SHUTDOWN_SECONDS", "5".into()),
        ] {
            self.settings.entry(name.into()).or_insert(value);
        }
        for (name, value) in &self.settings {
            register_setting(name, value);
        }
        let lookup = |name: &str| self.settings.get(name).cloned();
        let settings = Settings::load(lookup).unwrap_or_else(|faults| panic!("{faults:?}"));
        let cloud = Cloud {
            s3: sdk(&self.s3, self.credentials),
            sns: sdk(
                &self.sns,
                SharedCredentialsProvider::new(cloud::credentials()),
            ),
            sqs: sdk(
                &self.sqs,
                SharedCredentialsProvider::new(cloud::credentials()),
            ),
            worker_sqs: sdk(
                &self.sqs,
                SharedCredentialsProvider::new(cloud::credentials()),
            ),
            textract: sdk(
                &self.sqs,
                SharedCredentialsProvider::new(cloud::credentials()),
            ),
            topic: self
                .topic
                .then(|| TopicArn::parse(&inbox.topic_arn).expect("the inbox's topic")),
        };
        let clock = self.clock.clone();
        let rules = self.rules;
        let shutdown = Shutdown::new();
        let switch = shutdown.clone();
        let (started, ready) = tokio::sync::oneshot::channel();
        let (over, ended) = tokio::sync::oneshot::channel();
        shared().spawn(async move {
            let assembly = assemble(&settings, rules, &cloud, clock)
                .await
                .expect("the parts");
            let broker = Arc::clone(&assembly.broker);
            let ready = |address| {
                started
                    .send((address, broker))
                    .unwrap_or_else(|_| panic!("gone"))
            };
            let code = assembly.run(&settings, &switch, ready).await;
            // Most tests do not wait for the end.
            let _ = over.send(code.expect("a run"));
        });
        let (address, broker) = ready.await.expect("a broker that starts");
        // The janitor runs a round when it starts. After it, the rounds of the test are the only ones.
        eventually("the first round of the janitor", async || {
            let all = broker.metrics.render();
            let mut lines = all
                .lines()
                .filter(|line| line.contains("_janitor_rounds_total{"));
            lines.any(|line| !line.ends_with(" 0"))
        })
        .await;
        let mut app = App {
            url: format!("http://{address}"),
            key: String::new(),
            database: self.database,
            bucket,
            inbox,
            clock: self.clock,
            broker,
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("an HTTP client"),
            shutdown,
            ended: Some(ended),
        };
        app.key = app.issue_key("default", &Scope::ALL, None).await.1;
        app
    }
}

/// Returns the configuration of AWS clients for `endpoint`.
pub fn sdk(endpoint: &str, credentials: SharedCredentialsProvider) -> aws_config::SdkConfig {
    aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(cloud::REGION))
        .credentials_provider(credentials)
        .endpoint_url(endpoint)
        .build()
}
