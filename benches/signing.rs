//! Signing speed: one URL of each kind, and aws-sdk-s3's beside it.
//!
//! `cargo bench --bench signing`. The target is one microsecond a PUT URL, two at most.

#![allow(clippy::unwrap_used, reason = "a benchmark may stop where it stands")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials as Given;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Region};
use aws_sdk_s3::presigning::PresigningConfig;
use chrono::{DateTime, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use upload_broker::objects::credentials::Credentials;
use upload_broker::objects::endpoint::Endpoint;
use upload_broker::objects::sign::{Checksum, GetObject, PutObject, Signer};

const KEY: &str = "data/2025/employees of the month.csv";
const UPLOAD_ID: &str = "01932c07-209c-7a3e-8f5b-5f3c8d1a9b42";
const SHA256: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

fn given(token: Option<String>) -> Given {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    Given::new("AKIAIOSFODNN7EXAMPLE", secret, token, None, "bench")
}

fn client() -> Client {
    let config = Builder::new()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(given(None));
    Client::from_conf(config.build())
}

fn put() -> PutObject<'static> {
    PutObject {
        content_length: Some(123_456),
        checksum: Some(Checksum {
            header: "x-amz-checksum-sha256",
            value: SHA256,
        }),
        ..PutObject::new(KEY, "text/csv", UPLOAD_ID)
    }
}

fn ours(criterion: &mut Criterion, signer: &Signer) {
    let now = DateTime::<Utc>::from(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let lasting = Arc::new(Credentials::from(&given(None)));
    let session = Arc::new(Credentials::from(&given(Some("F".repeat(900)))));
    let get = GetObject {
        response_content_disposition: Some("attachment; filename=\"employees.csv\""),
        ..GetObject::new(KEY)
    };
    criterion.bench_function("put", |bench| {
        bench.iter(|| signer.put_object(black_box(&put()), 900, &lasting, now));
    });
    criterion.bench_function("put with a session token of 900 bytes", |bench| {
        bench.iter(|| signer.put_object(black_box(&put()), 900, &session, now));
    });
    criterion.bench_function("get", |bench| {
        bench.iter(|| signer.get_object(black_box(&get), 900, &lasting, now));
    });
}

fn sdk(criterion: &mut Criterion, runtime: &tokio::runtime::Runtime, client: &Client) {
    let config = PresigningConfig::builder()
        .start_time(UNIX_EPOCH + Duration::from_secs(1_800_000_000))
        .expires_in(Duration::from_secs(900))
        .build()
        .unwrap();
    criterion.bench_function("put by aws-sdk-s3", |bench| {
        bench.iter(|| {
            let put = client.put_object().bucket("bucket").key(black_box(KEY));
            let put = put
                .content_type("text/csv")
                .content_length(123_456)
                .checksum_sha256(SHA256)
                .if_none_match("*")
                .metadata("upload-id", UPLOAD_ID);
            runtime.block_on(put.presigned(config.clone())).unwrap()
        });
    });
}

fn signing(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let client = client();
    let endpoint = runtime
        .block_on(Endpoint::learn(&client, "bucket"))
        .unwrap();
    ours(criterion, &Signer::new(endpoint));
    sdk(criterion, &runtime, &client);
}

criterion_group!(benches, signing);
criterion_main!(benches);
