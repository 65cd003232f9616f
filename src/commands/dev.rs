//! `dev`: a broker with everything that it needs in one process.
//!
//! The state lives in one folder and survives a restart. Postgres dies with this process, even
//! when that is killed.

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
use super::output::{bad_config, fail, start_log, warn_of_unknown};
use crate::clock::Clock;
use crate::config::{self, Dev, Section as _, Settings, TopicArn};
use crate::dev::{folder, postgres, s3, sns};
use crate::domain::jail::DEFAULT_TENANT;
use crate::domain::principal::Scope;
use crate::lifecycle::Shutdown;
use crate::usecases::Broker;
use crate::usecases::identity::authenticate::authenticate;
use crate::{store, usecases};

/// How long the Postgres of a stack that was killed may take to end, and how often to look.
const LAST_ONE_ENDS: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const BUCKET: &str = "datasets";
const REGION: &str = "us-east-1";
/// They open nothing but a store on this machine's loopback.
const ACCESS_KEY: &str = "upload-broker-dev";
const SECRET_KEY: &str = "upload-broker-dev-secret";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Throw away the state of earlier runs
    #[arg(long)]
    fresh: bool,
}

/// Why the stack does not run.
#[derive(Debug, thiserror::Error)]
enum DevError {
    #[error(transparent)]
    Folder(#[from] folder::Error),
    #[error(transparent)]
    Postgres(#[from] postgres::Error),
    #[error("the thread that starts Postgres died")]
    Thread(#[from] tokio::task::JoinError),
    #[error("no S3 server (BROKER_DEV_S3_BIND, BROKER_DEV_DIR)")]
    S3(#[from] s3::Error),
    #[error("no free port for SNS")]
    Sns(#[source] std::io::Error),
    #[error("no development key")]
    Key(#[from] usecases::Error),
    #[error("cannot connect to Postgres")]
    Connect(#[from] store::pool::ConnectError),
    #[error("cannot read or write the development key")]
    KeyFile(#[source] std::io::Error),
    #[error("the topic of the stack itself is malformed: {0}")]
    Topic(String),
    #[error(transparent)]
    Assemble(#[from] AssembleError),
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let dev = match Dev::load(config::env) {
        Ok(dev) => dev,
        Err(faults) => return bad_config(&faults),
    };
    let folder = match folder::Folder::open(&dev.dir, arguments.fresh) {
        Ok(folder) => folder,
        Err(error) => return fail("The stack does not run", &error),
    };
    let server = match start_postgres(folder.path()).await {
        Ok(server) => server,
        Err(error) => return fail("The stack does not run", &error),
    };
    let code = match settings(server.as_ref()) {
        Ok(settings) => match stack(&settings, folder.path()).await {
            Ok(code) => code,
            Err(error) => fail("The stack does not run", &error),
        },
        Err(faults) => bad_config(&faults),
    };
    // Postgres goes last: what was under way is committed by now.
    drop(server);
    code
}

/// A server of our own, unless `DATABASE_URL` names one.
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

/// The folder is ours, so that a server which still runs in it is the one of a stack that was
/// killed a moment ago, and is on its way out.
fn start_when_free(options: &postgres::Options) -> Result<postgres::Postgres, postgres::Error> {
    let patience = Instant::now() + LAST_ONE_ENDS;
    loop {
        match postgres::Postgres::start(options) {
            Err(postgres::Error::Running { .. }) if Instant::now() < patience => {
                std::thread::sleep(LOOK_AGAIN);
            }
            other => return other,
        }
    }
}

/// The environment, with what the stack brings along in place of what is missing.
fn settings(server: Option<&postgres::Postgres>) -> Result<Settings, Vec<config::Fault>> {
    Settings::load(|name| {
        let ours = match name {
            "BROKER_S3_BUCKET" => return Some(BUCKET.to_owned()),
            "BROKER_S3_PATH_STYLE"
            | "BROKER_MIGRATE"
            // The embedded store does all of it.
            | "BROKER_S3_CONDITIONAL_WRITES"
            | "BROKER_S3_CHECKSUMS"
            | "BROKER_S3_HEAD_CHECKSUMS" => return Some("true".to_owned()),
            "BROKER_S3_PUBLIC_ENDPOINT"
            | "BROKER_SNS_TOPIC_ARN"
            | "BROKER_S3_EVENTS_QUEUE_URL"
            | "BROKER_S3_PUT_IF_NONE_MATCH"
            | "BROKER_S3_PUT_IF_MATCH"
            | "BROKER_S3_COMPLETE_IF_NONE_MATCH"
            | "BROKER_S3_DELETE_IF_MATCH"
            | "BROKER_S3_SSE"
            | "BROKER_S3_SSE_KMS_KEY_ID"
            | "BROKER_S3_SSE_BUCKET_KEY"
            | "BROKER_TLS_CERT"
            | "BROKER_TLS_KEY" => return None,
            "DATABASE_URL" => server.map(|server| server.url("broker")),
            _ => None,
        };
        ours.or_else(|| config::env(name))
    })
}

async fn stack(settings: &Settings, dir: &Path) -> Result<ExitCode, DevError> {
    start_log(&settings.log);
    warn_of_unknown();
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
        // Without a queue nobody asks it.
        sqs: sdk(&endpoint),
        sns: sdk(&format!(
            "http://{}",
            topic.local_addr().map_err(DevError::Sns)?
        )),
        topic: Some(TopicArn::parse(sns::TOPIC_ARN).map_err(DevError::Topic)?),
    };
    shutdown.spawn("s3", store.run(shutdown.token()));
    shutdown.spawn("sns", topic.run(shutdown.token()));
    let assembly = assemble(settings, &cloud, Clock::system()).await?;
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

/// The key of the last run while it still opens this database, else a new one. It lies in the
/// state's folder, readable by its owner: whoever can read that can read the datasets too.
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
