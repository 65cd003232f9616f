//! S3, SNS and SQS over their real protocols: one ministack per test process.
//!
//! With `AUTH=true` it verifies signatures, as AWS does. Parallel tests use unique names.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use upload_broker::dev::child::ServerProcess;

use super::{process_folder, unique, venv};

/// The region of all services.
pub const REGION: &str = "us-east-1";
/// The access key id that ministack is started with.
pub const ACCESS_KEY_ID: &str = "AKIAWHOMTHESUITEASKS";
/// The secret of the access key. It is unlike any other text, so that it can be searched in logs.
pub const SECRET_ACCESS_KEY: &str = "a-secret-key-that-only-the-suite-uses";

/// Returns the address of S3, SNS and SQS, for a proxy in front of them.
pub fn address() -> SocketAddr {
    static CLOUD: OnceLock<(ServerProcess, SocketAddr)> = OnceLock::new();
    CLOUD.get_or_init(start).1
}

/// Returns the HTTP endpoint of all three services.
pub fn endpoint() -> String {
    format!("http://{}", address())
}

/// Returns the credentials of the owner of the account.
pub fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "tests")
}

/// Returns the settings of the broker for these services.
pub fn settings() -> Vec<(&'static str, String)> {
    vec![
        ("AWS_REGION", REGION.into()),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID.into()),
        ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.into()),
        ("AWS_ENDPOINT_URL_S3", endpoint()),
        ("AWS_ENDPOINT_URL_SNS", endpoint()),
        ("AWS_ENDPOINT_URL_SQS", endpoint()),
    ]
}

/// Creates an S3 client of the calling test for `endpoint` (a proxy or [`endpoint()`]).
pub fn s3(endpoint: &str) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials())
        .endpoint_url(endpoint)
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// The bucket of one test.
pub struct Bucket {
    pub client: aws_sdk_s3::Client,
    pub name: String,
}

impl Bucket {
    /// Creates a bucket in ministack.
    pub async fn new() -> Bucket {
        Bucket::at(&endpoint()).await
    }

    /// Creates a bucket in the store at `endpoint`.
    pub async fn at(endpoint: &str) -> Bucket {
        let client = s3(endpoint);
        let name = unique("bucket");
        let made = client.create_bucket().bucket(&name).send().await;
        made.unwrap_or_else(|error| panic!("no bucket: {error:?}"));
        Bucket { client, name }
    }

    /// Enables versioning.
    pub async fn keep_versions(&self) {
        let versioning = aws_sdk_s3::types::VersioningConfiguration::builder()
            .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
            .build();
        let set = self.client.put_bucket_versioning().bucket(&self.name);
        set.versioning_configuration(versioning)
            .send()
            .await
            .unwrap_or_else(|error| panic!("no versions: {error:?}"));
    }

    /// Writes an object as another program would, without a URL of the broker.
    pub async fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let put = self.client.put_object().bucket(&self.name).key(key);
        put.body(bytes.into().into())
            .send()
            .await
            .unwrap_or_else(|error| panic!("put {key}: {error:?}"));
    }

    /// Removes an object as another program would.
    pub async fn remove(&self, key: &str) {
        let delete = self.client.delete_object().bucket(&self.name);
        delete.key(key).send().await.expect("a delete");
    }

    /// Copies an object with its metadata.
    pub async fn copy(&self, from: &str, to: &str) {
        let copy = self.client.copy_object().bucket(&self.name).key(to);
        copy.copy_source(format!("{}/{from}", self.name))
            .send()
            .await
            .unwrap_or_else(|error| panic!("copy {from}: {error:?}"));
    }

    /// Writes an object with the metadata of the upload `id`, as a URL of that upload without size and checksum
    /// would.
    pub async fn put_as(&self, id: &str, key: &str, bytes: &str, content_type: &str) {
        let put = self.client.put_object().bucket(&self.name).key(key);
        put.metadata("upload-id", id)
            .content_type(content_type)
            .body(bytes.as_bytes().to_vec().into())
            .send()
            .await
            .unwrap_or_else(|error| panic!("put {key}: {error:?}"));
    }

    /// Returns the keys of all objects.
    pub async fn keys(&self) -> Vec<String> {
        let all = self.client.list_objects_v2().bucket(&self.name).send();
        let all = all
            .await
            .unwrap_or_else(|error| panic!("no list: {error:?}"));
        let keys = all.contents().iter().filter_map(|object| object.key());
        keys.map(str::to_owned).collect()
    }

    /// Creates a multipart upload as another program would, and returns its id.
    pub async fn begin(&self, key: &str) -> String {
        let begun = (self.client.create_multipart_upload())
            .bucket(&self.name)
            .key(key);
        let begun = begun.send().await;
        let begun = begun.unwrap_or_else(|error| panic!("begin {key}: {error:?}"));
        begun.upload_id.expect("an id")
    }

    /// Aborts a multipart upload.
    pub async fn abort(&self, key: &str, upload_id: &str) {
        let abort = (self.client.abort_multipart_upload())
            .bucket(&self.name)
            .key(key)
            .upload_id(upload_id);
        let ended = abort.send().await;
        ended.unwrap_or_else(|error| panic!("abort {key}: {error:?}"));
    }

    /// Sends a part of a multipart upload.
    pub async fn send_part(&self, key: &str, upload_id: &str, number: i32) {
        let part = (self.client.upload_part())
            .bucket(&self.name)
            .key(key)
            .upload_id(upload_id)
            .part_number(number)
            .body(b"bytes".to_vec().into());
        let sent = part.send().await;
        sent.unwrap_or_else(|error| panic!("part {number} of {key}: {error:?}"));
    }

    /// Returns the key and id of every open multipart upload, at most a thousand.
    pub async fn open_uploads(&self) -> Vec<(String, String)> {
        let list = self.client.list_multipart_uploads().bucket(&self.name);
        let list = list.send().await.expect("a listing");
        let open = list.uploads().iter().map(|upload| {
            let own = |text: Option<&str>| text.expect("a key and an id").to_owned();
            (own(upload.key()), own(upload.upload_id()))
        });
        let mut open: Vec<_> = open.collect();
        open.sort();
        open
    }

    /// Returns the keys of all open multipart uploads.
    pub async fn open_keys(&self) -> Vec<String> {
        let open = self.open_uploads().await;
        open.into_iter().map(|(key, _)| key).collect()
    }

    /// Returns the bytes of an object. Fails if it does not exist.
    pub async fn get(&self, key: &str) -> Vec<u8> {
        let got = self.client.get_object().bucket(&self.name).key(key).send();
        let got = got
            .await
            .unwrap_or_else(|error| panic!("get {key}: {error:?}"));
        got.body.collect().await.expect("a body").to_vec()
    }

    /// Returns the metadata of an object; `None` if it does not exist.
    pub async fn head(&self, key: &str) -> Option<HeadObjectOutput> {
        let head = self.client.head_object().bucket(&self.name).key(key);
        match head.send().await {
            Ok(found) => Some(found),
            Err(SdkError::ServiceError(error)) if error.err().is_not_found() => None,
            Err(error) => panic!("head {key}: {error:?}"),
        }
    }
}

fn start() -> (ServerProcess, SocketAddr) {
    let program = venv("ministack");
    let log = process_folder::path().join("ministack.log");
    // ministack cannot choose a free port itself. If another process took the port, ministack ends, and
    // another port is tried.
    for _ in 0..10 {
        let address = free_address();
        if let Some(process) = attempt(&program, address, &log) {
            return (process, address);
        }
    }
    panic!("ministack does not start; see {}", log.display());
}

fn attempt(program: &Path, address: SocketAddr, log: &Path) -> Option<ServerProcess> {
    let output = File::create(log).expect("a log file under target/tmp");
    let errors = output.try_clone().expect("a second handle of it");
    let mut command = Command::new(program);
    command
        .env("AUTH", "true")
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", address.port().to_string())
        .env("SERVICES", "s3,sns,sqs")
        .env("TMPDIR", process_folder::path())
        .stdout(output)
        .stderr(errors);
    let mut process = ServerProcess::spawn(&mut command, "TERM", Duration::from_secs(2))
        .expect("ministack's process");
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if process.try_wait().expect("its state").is_some() {
            return None;
        }
        if is_ready(address) {
            return Some(process);
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}

/// Returns whether ministack reports that its services are ready.
fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(
            b"GET /_ministack/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.contains("\"completed\""))
}

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port on loopback")
}
