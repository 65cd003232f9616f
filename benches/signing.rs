//! The speed of signing: one URL of each kind, compared with aws-sdk-s3.
//!
//! Run it with `cargo bench --bench signing`. The target is one microsecond for a PUT URL, two at most, and
//! 12 ms for the 10,000 parts of one upload.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials as SdkCredentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Region};
use aws_sdk_s3::presigning::PresigningConfig;
use chrono::{DateTime, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use upload_broker::objects::credentials::Credentials;
use upload_broker::objects::endpoint::Endpoint;
use upload_broker::objects::sign::{Checksum, GetObject, PutObject, Signer, UploadPart};

const KEY: &str = "data/2025/employees of the month.csv";
const UPLOAD_ID: &str = "01932c07-209c-7a3e-8f5b-5f3c8d1a9b42";
const SHA256: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

fn sdk_credentials(token: Option<String>) -> SdkCredentials {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    SdkCredentials::new("AKIAIOSFODNN7EXAMPLE", secret, token, None, "bench")
}

fn client() -> Client {
    let config = Builder::new()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(sdk_credentials(None));
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

fn broker_signer(criterion: &mut Criterion, signer: &Signer) {
    let now = DateTime::<Utc>::from(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let lasting = Arc::new(Credentials::from(&sdk_credentials(None)));
    let session = Arc::new(Credentials::from(&sdk_credentials(Some("F".repeat(900)))));
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

/// Signs all parts of one upload, with and without checksums. The URLs are kept in memory, as in a response.
fn parts(criterion: &mut Criterion, signer: &Signer) {
    let now = DateTime::<Utc>::from(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let upload_id = "VXBsb2FkIElEIGZvciA2aWWpbmcncyBteS1tb3ZpZS5tMnRzIHVwbG9hZA".repeat(2);
    let checksum = Checksum {
        header: "x-amz-checksum-sha256",
        value: SHA256,
    };
    for (name, token, checksum) in [
        ("10,000 parts", None, None),
        ("10,000 parts with checksums", None, Some(checksum)),
        (
            "10,000 parts with a session token of 900 bytes",
            Some("F".repeat(900)),
            None,
        ),
    ] {
        let credentials = Arc::new(Credentials::from(&sdk_credentials(token)));
        criterion.bench_function(name, |bench| {
            bench.iter(|| {
                let parts = signer.upload_parts(KEY, &upload_id, 900, &credentials, now);
                let mut parts = parts.unwrap();
                let sign = |number| {
                    parts.sign(black_box(&UploadPart {
                        number,
                        size: 16 << 20,
                        checksum,
                    }))
                };
                (1..=10_000)
                    .map(sign)
                    .collect::<Result<Vec<_>, _>>()
                    .unwrap()
            });
        });
    }
}

fn sdk_presigner(criterion: &mut Criterion, runtime: &tokio::runtime::Runtime, client: &Client) {
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
        .block_on(Endpoint::resolve(&client, "bucket"))
        .unwrap();
    let signer = Signer::new(endpoint);
    broker_signer(criterion, &signer);
    parts(criterion, &signer);
    sdk_presigner(criterion, &runtime, &client);
}

criterion_group!(benches, signing);
criterion_main!(benches);
