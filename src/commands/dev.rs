//! `dev`: runs a broker with all its dependencies in one process.
//!
//! The state is stored in one folder and survives restarts. Postgres is stopped with this process,
//! even if the process is killed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::assemble::{AssembleError, Cloud, assemble};
use super::greeting::greeting;
use super::healthcheck::reachable;
use super::output::{report_failure, report_invalid_settings, start_log, warn_unknown_variables};
use super::processing_rules::{self, InvalidRules};
use super::settings;
use crate::clock::Clock;
use crate::config::{self, Dev, Processors, Section as _, Settings, TopicArn};
use crate::dev::{folder, postgres, s3, sns};
use crate::domain::jail::DEFAULT_TENANT;
use crate::domain::principal::Scope;
use crate::domain::rules::ProcessingRules;
use crate::lifecycle::Shutdown;
use crate::usecases::Broker;
use crate::usecases::identity::authenticate::authenticate;
use crate::{store, usecases};

/// How long the Postgres of a killed process may take to stop, and how often that is checked.
const PREVIOUS_STOP_TIMEOUT: Duration = Duration::from_secs(20);
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
const BUCKET: &str = "datasets";
/// What `dev` runs if the environment does not say: everything.
const ALL_ROLES: &str = "http,relay,janitor,events,worker";
const REGION: &str = "us-east-1";
/// These only open a store that listens on this machine's loopback address.
const ACCESS_KEY: &str = "upload-broker-dev";
const SECRET_KEY: &str = "upload-broker-dev-secret";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Delete the state of earlier runs
    #[arg(long)]
    fresh: bool,
}

/// Why the stack cannot run.
#[derive(Debug, thiserror::Error)]
enum DevError {
    #[error(transparent)]
    Folder(#[from] folder::Error),
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    #[error("the thread that starts Postgres panicked")]
    Thread(#[from] tokio::task::JoinError),
    #[error("the S3 server cannot start (BROKER_DEV_S3_BIND, BROKER_DEV_DIR)")]
    S3(#[from] s3::Error),
    #[error("the SNS server cannot start")]
    Sns(#[source] std::io::Error),
    #[error("the development key cannot be issued")]
    Key(#[from] usecases::Error),
    #[error("cannot connect to Postgres")]
    Connect(#[from] store::pool::ConnectError),
    #[error("cannot read or write the development key")]
    KeyFile(#[source] std::io::Error),
    #[error("the topic of the stack is invalid: {0}")]
    Topic(String),
    #[error(transparent)]
    Assemble(#[from] AssembleError),
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let dev = match Dev::load(config::env) {
        Ok(dev) => dev,
        Err(faults) => return report_invalid_settings(&faults),
    };
    let folder = match folder::Folder::open(&dev.dir, arguments.fresh) {
        Ok(folder) => folder,
        Err(error) => return report_failure("The stack cannot start", &error),
    };
    let server = match start_postgres(folder.path()).await {
        Ok(server) => server,
        Err(error) => return report_failure("The stack cannot start", &error),
    };
    let code = match stack_settings(server.as_ref()) {
        Ok((settings, rules)) => match run_stack(&settings, rules, folder.path()).await {
            Ok(code) => code,
            Err(error) => report_failure("The stack cannot start", &error),
        },
        Err(code) => code,
    };
    // Postgres stops last, after everything in flight has been committed.
    drop(server);
    code
}

/// Starts the embedded server, unless `DATABASE_URL` names another one.
async fn start_postgres(dir: &Path) -> Result<Option<postgres::Postgres>, DevError> {
    if config::env("DATABASE_URL").is_some_and(|url| !url.is_empty()) {
        return Ok(None);
    }
    let mut options = postgres::Options::new(dir.join("postgres"));
    options.bin = config::env("PG_BIN").map(PathBuf::from);
    let server = tokio::task::spawn_blocking(move || start_when_free(&options)).await??;
    server.ensure_database("broker").await?;
    Ok(Some(server))
}

/// Starts Postgres. The folder is locked by this process, so a server that still runs in it belongs
/// to a stack that was just killed, and will stop soon.
fn start_when_free(options: &postgres::Options) -> Result<postgres::Postgres, postgres::Error> {
    let deadline = Instant::now() + PREVIOUS_STOP_TIMEOUT;
    loop {
        match postgres::Postgres::start(options) {
            Err(postgres::Error::Running { .. }) if Instant::now() < deadline => {
                std::thread::sleep(RETRY_INTERVAL);
            }
            other => return other,
        }
    }
}

/// The environment, with values of the stack for what is missing or must not be changed.
fn stack_settings(
    server: Option<&postgres::Postgres>,
) -> Result<(Settings, ProcessingRules), ExitCode> {
    let lookup = |name: &str| {
        let fixed = match name {
            "BROKER_S3_BUCKET" => return Some(BUCKET.to_owned()),
            "BROKER_S3_PATH_STYLE"
            | "BROKER_MIGRATE"
            // The embedded store supports all of these.
            | "BROKER_S3_CONDITIONAL_WRITES"
            | "BROKER_S3_CHECKSUMS"
            | "BROKER_S3_HEAD_CHECKSUMS" => return Some("true".to_owned()),
            "BROKER_S3_PUBLIC_ENDPOINT"
            | "BROKER_SNS_TOPIC_ARN"
            | "BROKER_S3_EVENTS_QUEUE_URL"
            | "BROKER_WORKER_QUEUE_URL"
            // Textract cannot read the embedded store.
            | "BROKER_PDF_ENGINE"
            | "BROKER_TEXTRACT_TOPIC_ARN"
            | "BROKER_TEXTRACT_ROLE_ARN"
            | "BROKER_S3_PUT_IF_NONE_MATCH"
            | "BROKER_S3_PUT_IF_MATCH"
            | "BROKER_S3_COMPLETE_IF_NONE_MATCH"
            | "BROKER_S3_DELETE_IF_MATCH"
            | "BROKER_S3_SSE"
            | "BROKER_S3_SSE_KMS_KEY_ID"
            | "BROKER_S3_SSE_BUCKET_KEY"
            | "BROKER_TLS_CERT"
            | "BROKER_TLS_KEY" => return None,
            "BROKER_ROLES" => {
                let chosen = config::env(name).filter(|roles| !roles.is_empty());
                return chosen.or_else(|| Some(ALL_ROLES.to_owned()));
            }
            "DATABASE_URL" => server.map(|server| server.url("broker")),
            _ => None,
        };
        fixed.or_else(|| config::env(name))
    };
    settings::load(lookup, stack_rules)
}

/// The rules in the file of the settings; without one, those of `dev_rules.toml`.
fn stack_rules(processors: &Processors) -> Result<ProcessingRules, InvalidRules> {
    match processors.file {
        Some(_) => processing_rules::load(processors),
        None => processing_rules::parse("dev_rules.toml", include_str!("dev_rules.toml")),
    }
}

async fn run_stack(
    settings: &Settings,
    rules: ProcessingRules,
    dir: &Path,
) -> Result<ExitCode, DevError> {
    start_log(&settings.log);
    warn_unknown_variables();
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(AssembleError::Signals)?;
    let store = s3::start(s3::Options {
        dir: dir.join("s3"),
        bind: settings.dev.s3_bind,
        access_key: ACCESS_KEY.to_owned(),
        secret_key: SECRET_KEY.into(),
        region: REGION.to_owned(),
        buckets: vec![BUCKET.to_owned()],
        fsync: true,
        observer: None,
    })
    .await?;
    let topic = sns::Endpoint::bind().await.map_err(DevError::Sns)?;
    let endpoint = format!("http://{}", reachable(store.local_addr()));
    let cloud = Cloud {
        s3: sdk(&endpoint),
        // Without a queue URL this is never used.
        sqs: sdk(&endpoint),
        worker_sqs: sdk(&endpoint),
        // The engine of documents is always the embedded one.
        textract: sdk(&endpoint),
        sns: sdk(&format!(
            "http://{}",
            topic.local_addr().map_err(DevError::Sns)?
        )),
        topic: Some(TopicArn::parse(sns::TOPIC_ARN).map_err(DevError::Topic)?),
    };
    shutdown.spawn("s3", store.run(shutdown.token()));
    shutdown.spawn("sns", topic.run(shutdown.token()));
    let assembly = assemble(settings, rules, &cloud, Clock::system()).await?;
    let broker = Arc::clone(&assembly.broker);
    let key = development_key(&broker, settings, dir).await?;
    let code = assembly
        .run(settings, &shutdown, |address| {
            let bucket = broker.stores.buckets.common();
            let url = format!("http://{}", reachable(address));
            println!("{}", *greeting(&url, bucket, &key));
        })
        .await?;
    Ok(code)
}

fn sdk(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "upload-broker dev");
    let runtime = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint);
    runtime.build()
}

/// Returns the key of the previous run if it is still valid, else issues a new one. It is stored in
/// the state folder, readable by its owner only. A user who can read that folder can read the
/// datasets, too.
async fn development_key(
    broker: &Arc<Broker>,
    settings: &Settings,
    dir: &Path,
) -> Result<SecretString, DevError> {
    let file = dir.join("api-key");
    match std::fs::read_to_string(&file).map(Zeroizing::new) {
        Ok(key) if authenticate(broker, key.trim()).await?.is_some() => {
            return Ok(key.trim().into());
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(DevError::KeyFile(error));
        }
        _ => {}
    }
    let mut connection = store::pool::connect(settings.database.url.expose()).await?;
    let clock = Clock::system();
    let all = Scope::ALL;
    let issued =
        usecases::identity::keys::issue(&mut connection, &clock, DEFAULT_TENANT, &all, None)
            .await?;
    folder::write_secret(&file, issued.key.expose_secret()).map_err(DevError::KeyFile)?;
    Ok(issued.key)
}
