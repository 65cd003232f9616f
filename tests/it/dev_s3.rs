//! The embedded S3 server, tested through the real protocol: the AWS SDK signs, reqwest sends.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests are tests: they fail loudly"
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use upload_broker::dev::s3::{Event, Observer, Options, start};

mod bodies;
mod browser;
mod buckets;
mod conditions;
mod copying;
mod events;
mod forms;
mod keys;
mod listing;
mod multipart;
mod reading;
mod refusals;
mod round_trip;
mod survival;

const BUCKET: &str = "datasets";
const KEY: &str = "AKIDEMBEDDED";
const SECRET: &str = "a secret of the tests";
const REGION: &str = "us-east-1";

/// A running server on a temporary folder.
struct TestStore {
    dir: tempfile::TempDir,
    addr: SocketAddr,
    stop: CancellationToken,
    server: JoinSet<()>,
    events: Arc<Mutex<Vec<Event>>>,
    /// Signs in the `Authorization` header.
    s3: Client,
    /// Sends pre-signed requests.
    http: reqwest::Client,
}

impl TestStore {
    async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary folder")).await
    }

    async fn start_in(dir: tempfile::TempDir) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let observer: Arc<dyn Observer> =
            Arc::new(move |event: &Event| seen.lock().unwrap().push(event.clone()));
        let options = options(dir.path().to_owned(), Some(observer));
        let running = start(options).await.expect("the server starts");
        let (addr, stop) = (running.local_addr(), CancellationToken::new());
        let mut server = JoinSet::new();
        server.spawn(running.run(stop.clone()));
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("an HTTP client");
        Self {
            dir,
            addr,
            stop,
            server,
            events,
            s3: client(addr, SECRET, REGION),
            http,
        }
    }

    /// Stops the server and starts it again on the same folder, with another port.
    async fn restart(mut self) -> Self {
        self.stop.cancel();
        while let Some(ended) = self.server.join_next().await {
            ended.expect("the server ends without a panic");
        }
        Self::start_in(self.dir).await
    }

    /// Uploads with the SDK.
    async fn put(&self, key: &str, bytes: &[u8]) {
        let put = self
            .s3
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(ByteStream::from(bytes.to_vec()));
        put.send()
            .await
            .unwrap_or_else(|error| panic!("PUT {key:?}: {error:?}"));
    }

    /// The bytes of an object, or `None` when there is none.
    async fn read(&self, key: &str) -> Option<Vec<u8>> {
        match self.s3.get_object().bucket(BUCKET).key(key).send().await {
            Ok(got) => Some(
                got.body
                    .collect()
                    .await
                    .expect("the whole body")
                    .into_bytes()
                    .to_vec(),
            ),
            Err(error) => {
                let error = error.into_service_error();
                assert!(error.is_no_such_key(), "GET {key:?}: {error:?}");
                None
            }
        }
    }

    /// Asserts that a refused write left no object, no file on disk and no event.
    async fn assert_untouched(&self) {
        let listed = self
            .s3
            .list_objects_v2()
            .bucket(BUCKET)
            .send()
            .await
            .unwrap();
        assert_eq!(listed.key_count(), Some(0), "{:?}", listed.contents());
        assert_eq!(self.body_files(), 0, "a refused body is still on disk");
        assert!(
            self.events.lock().unwrap().is_empty(),
            "an event for a refused write"
        );
    }

    /// The number of files in the folder of bodies.
    fn body_files(&self) -> usize {
        let folders =
            std::fs::read_dir(self.dir.path().join("bodies")).expect("the folder of bodies");
        folders
            .map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count())
            .sum()
    }

    /// A pre-signed request with exactly the signed headers.
    fn signed(&self, signed: &PresignedRequest) -> reqwest::RequestBuilder {
        let method = signed.method().parse().expect("a method");
        let mut request = self.http.request(method, signed.uri());
        for (name, value) in signed.headers() {
            request = request.header(name, value);
        }
        request
    }
}

fn options(dir: PathBuf, observer: Option<Arc<dyn Observer>>) -> Options {
    Options {
        dir,
        bind: "127.0.0.1:0".parse().expect("an address"),
        access_key: KEY.to_owned(),
        secret_key: SECRET.into(),
        region: REGION.to_owned(),
        buckets: vec![BUCKET.to_owned()],
        fsync: false,
        observer,
    }
}

fn client(addr: SocketAddr, secret: &str, region: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new(KEY, secret, None, None, "tests"))
        .endpoint_url(format!("http://{addr}"))
        .force_path_style(true)
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

fn for_an_hour() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(3600)).expect("an hour is allowed")
}

/// The real time: s3s checks signatures against it, so no test clock can replace it.
#[expect(clippy::disallowed_methods, reason = "the server judges by real time")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// A URL that expired an hour ago.
fn expired() -> PresigningConfig {
    let begin = now() - Duration::from_secs(7200);
    let config = PresigningConfig::builder().start_time(begin);
    config
        .expires_in(Duration::from_secs(3600))
        .build()
        .expect("an expiry")
}

/// The status and the `<Code>` of an S3 error.
async fn refusal(response: reqwest::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body = response.text().await.expect("a body");
    let code = body
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    (
        status,
        code.map_or_else(
            || format!("no code in {body:?}"),
            |(code, _)| code.to_owned(),
        ),
    )
}
