//! A bucket, the broker's own store and signer for it, and a client that sends parts.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::timeout::TimeoutConfig;
use chrono::{DateTime, Utc};
use upload_broker::domain::abilities::{Abilities, Support};
use upload_broker::domain::checksum::Algorithm;
use upload_broker::objects::client;
use upload_broker::objects::credentials::Credentials;
use upload_broker::objects::endpoint::Endpoint;
use upload_broker::objects::multipart::{CompleteMultipart, Completion, UploadedPart};
use upload_broker::objects::sign::{Precondition, PutObject, Signer, UploadPart};
use upload_broker::objects::{KnownAbilities, ObjectStore};
use upload_broker::telemetry::metrics::Metrics;

use crate::support::app::now;
use crate::support::cloud::{self, Bucket};
use crate::support::reply::Reply;
use crate::support::setup::sdk;

/// The key of the object that the tests upload.
pub const KEY: &str = "data/2025/two parts+more.csv";
/// The id of the upload that the object carries.
pub const UPLOAD_ID: &str = "01932c07-209c-7a3e-8f5b-5f3c8d1a9b42";

/// A bucket, the broker's own store and signer for it, and an HTTP client.
pub struct Scene {
    pub bucket: Bucket,
    pub store: ObjectStore,
    pub signer: Signer,
    pub credentials: Arc<Credentials>,
    pub http: reqwest::Client,
}

impl Scene {
    pub async fn new() -> Scene {
        Scene::at(&cloud::endpoint()).await
    }

    /// The same with another endpoint in front of the store.
    pub async fn at(endpoint: &str) -> Scene {
        let bucket = Bucket::new().await;
        let client = client_at(endpoint, TimeoutConfig::disabled());
        let endpoint = Endpoint::resolve(&client, &bucket.name).await;
        Scene {
            store: store_of(client, &bucket),
            signer: Signer::new(endpoint.expect("an endpoint")),
            credentials: Arc::new(Credentials::from(&cloud::credentials())),
            http: reqwest::Client::new(),
            bucket,
        }
    }

    /// A store for the same bucket whose client has a short timeout.
    pub fn hurried(&self, endpoint: &str, attempt: Duration) -> ObjectStore {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(attempt)
            .operation_timeout(attempt * 2);
        store_of(client_at(endpoint, timeouts.build()), &self.bucket)
    }

    /// Starts a multipart upload of the object.
    pub async fn begin(&self, checksums: Option<Algorithm>) -> String {
        self.begin_at(KEY, checksums).await
    }

    pub async fn begin_at(&self, key: &str, checksums: Option<Algorithm>) -> String {
        let object = PutObject {
            cache_control: Some("no-store"),
            tagging: Some("team=a%20b"),
            ..PutObject::new(key, "text/csv", UPLOAD_ID)
        };
        let begun = self.store.create_multipart(&object, checksums).await;
        begun.expect("an upload")
    }

    /// Signs the URL of a part at `when`, valid for a minute.
    pub fn url(&self, upload: &str, part: &UploadPart<'_>, when: DateTime<Utc>) -> String {
        let signer = self
            .signer
            .upload_parts(KEY, upload, 60, &self.credentials, when);
        signer.unwrap().sign(part).unwrap().url
    }

    /// Sends the bytes of a part to a URL and returns the status and the error code of the answer.
    pub async fn send(&self, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let mut put = self.http.put(url).body(body.to_owned());
        for (name, value) in headers {
            put = put.header(*name, *value);
        }
        let reply = Reply::of(put).await;
        let code = (reply.body.split_once("<Code>"))
            .and_then(|(_, rest)| rest.split_once("</Code>"))
            .map_or("", |(code, _)| code);
        (reply.status.as_u16(), code.to_owned())
    }

    /// Sends a part to a URL that is signed for it now.
    pub async fn part(&self, upload: &str, number: u32, body: &str) {
        let part = UploadPart {
            number,
            size: body.len() as u64,
            checksum: None,
        };
        let url = self.url(upload, &part, now());
        let sent = self.send(&url, &[], body).await;
        assert_eq!(sent, (200, String::new()), "part {number}");
    }

    /// All parts that the store has.
    pub async fn parts(&self, upload: &str) -> Vec<UploadedPart> {
        let parts = self.store.all_parts(KEY, upload).await;
        parts.expect("an answer").expect("the upload")
    }

    /// Completes the upload.
    pub async fn complete(
        &self,
        upload: &str,
        parts: &[UploadedPart],
        precondition: Precondition<'_>,
    ) -> Completion {
        let complete = completion(upload, parts, precondition);
        let completed = self.store.complete_multipart(&complete).await;
        completed.expect("an answer")
    }
}

fn client_at(endpoint: &str, timeouts: TimeoutConfig) -> aws_sdk_s3::Client {
    let credentials = SharedCredentialsProvider::new(cloud::credentials());
    let config = sdk(endpoint, credentials).into_builder();
    client::build(&config.timeout_config(timeouts).build(), true, None)
}

fn store_of(client: aws_sdk_s3::Client, bucket: &Bucket) -> ObjectStore {
    let metrics = Arc::new(Metrics::new(now()).expect("metrics"));
    let known = KnownAbilities::new(Abilities::all(Support::Yes));
    ObjectStore::new(client, &bucket.name, known, metrics)
}

/// The default completion of the object.
pub fn completion<'a>(
    upload_id: &'a str,
    parts: &'a [UploadedPart],
    precondition: Precondition<'a>,
) -> CompleteMultipart<'a> {
    CompleteMultipart {
        key: KEY,
        upload_id,
        parts,
        part_checksums: None,
        checksum: None,
        precondition,
        timeout: Duration::from_secs(30),
    }
}
