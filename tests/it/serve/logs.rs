//! The log at trace level contains every request and no secret.

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use upload_broker::dev::s3;

use crate::support::inbox::Inbox;
use crate::support::serving::{Caller, Place};
use crate::support::{cloud, shared};

pub const SECRET: &str = "a-secret-access-key-of-the-log-tests";

/// Makes all kinds of requests, each with its own request id, and returns the ids.
async fn round_trip(caller: &Caller) -> Vec<String> {
    let session = caller.create("/data/secret.csv").await;
    caller.put(&session, "id\n1\n").await.expect_ok();
    let id = session["id"].as_str().expect("an id");
    let calls = [
        (Method::POST, format!("/uploads/{id}/acknowledge"), 200),
        (Method::GET, format!("/uploads/{id}?refresh_urls=true"), 200),
        (
            Method::GET,
            "/datasets?prefix=/data/&include=upload&limit=7".into(),
            200,
        ),
        (Method::GET, "/datasets/data/secret.csv".into(), 200),
        (
            Method::GET,
            "/datasets/data/secret.csv/action/download".into(),
            302,
        ),
        (Method::GET, "/datasets/data/missing.csv".into(), 404),
        (Method::POST, "/uploads".into(), 400),
        (Method::GET, "/readyz".into(), 200),
        (Method::DELETE, format!("/uploads/{id}"), 204),
    ];
    let mut ids = Vec::new();
    for (number, (method, path, status)) in calls.into_iter().enumerate() {
        let id = format!("request-{number}");
        let request = caller.request(method, &path).header("x-request-id", &id);
        let answer = request.send().await.expect("an answer");
        assert_eq!(
            answer.status().as_u16(),
            status,
            "{path}: {}",
            answer.text().await.unwrap()
        );
        ids.push(id);
    }
    let made = caller
        .post_empty("/tokens")
        .await
        .expect(StatusCode::CREATED);
    let token = made["token"].as_str().expect("a token");
    for (path, status) in [("/uploads/x", 403), ("/nowhere", 404), ("/tokens", 201)] {
        let url = format!("{}/t/{token}{path}", caller.url);
        let request = match status {
            201 => caller.http.post(url),
            _ => caller.http.get(url),
        };
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    let stranger = caller.http.get(format!("{}/datasets", caller.url));
    let wrong = format!("{}wrong", &caller.key[..caller.key.len() - 5]);
    let refused = stranger.bearer_auth(wrong).send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    ids
}

/// The texts that no line may contain.
fn secrets(caller: &Caller, place: &Place) -> Vec<String> {
    let password = url::Url::parse(place.database.url()).expect("a URL");
    let mut secrets = vec![caller.key.clone(), SECRET.to_owned()];
    secrets.push(password.password().expect("a password").to_owned());
    for text in [
        "ubk_",
        "ubt_",
        "X-Amz-",
        "x-amz-signature",
        "AWS4-HMAC-SHA256",
        "Bearer",
        "Signature=",
    ] {
        secrets.push(text.to_lowercase());
    }
    // These are from query strings.
    secrets.extend(["refresh_urls", "include=upload", "limit=7"].map(str::to_owned));
    secrets
}

/// Starts a store whose secret occurs nowhere else.
pub async fn store(folder: &Path) -> String {
    let store = s3::start(s3::Options {
        dir: folder.to_owned(),
        bind: ([127, 0, 0, 1], 0).into(),
        access_key: "AKIALOGSTEST".into(),
        secret_key: SECRET.into(),
        region: cloud::REGION.into(),
        buckets: vec!["datasets".into()],
        fsync: false,
        observer: None,
    });
    let store = store.await.expect("a store");
    let endpoint = format!("http://{}", store.local_addr());
    shared().spawn(store.run(CancellationToken::new()));
    endpoint
}

/// SNS rejects the credentials of the store here, so that this error is in the log too.
#[tokio::test]
async fn no_log_line_contains_a_secret_at_trace_level() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = store(folder.path()).await;
    let inbox = Inbox::new().await;
    for format in ["json", "text"] {
        let place = Place::new().await;
        let run = (place.serve())
            .set("RUST_LOG", "trace")
            .set("BROKER_LOG_FORMAT", format)
            .set("BROKER_S3_BUCKET", "datasets")
            .set("BROKER_SNS_TOPIC_ARN", &inbox.topic_arn)
            .set("AWS_ENDPOINT_URL_S3", &store)
            .set("AWS_ACCESS_KEY_ID", "AKIALOGSTEST")
            .set("AWS_SECRET_ACCESS_KEY", SECRET);
        let (mut process, caller) = place.start(run).await;
        round_trip(&caller).await;
        process.wait_for_log("SNS accepts no events").await;
        let ended = process.stop("TERM").await.ok();
        assert!(ended.err.lines().count() > 10, "{ended:#?}");
        for line in ended.err.lines().filter(|_| format == "json") {
            serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        }
        for secret in secrets(&caller, &place) {
            let holds = |line: &&str| line.to_lowercase().contains(&secret.to_lowercase());
            let leak = ended.err.lines().find(holds);
            assert_eq!(leak, None, "a line of the {format} log holds {secret:?}");
        }
    }
}

#[tokio::test]
async fn every_log_line_of_a_request_has_its_request_id() {
    let place = Place::new().await;
    let run = place.serve().set("BROKER_LOG_FORMAT", "json");
    let (process, caller) = place.start(run.set("RUST_LOG", "debug")).await;
    let ids = round_trip(&caller).await;
    let ended = process.stop("TERM").await.ok();
    let lines: Vec<Value> = (ended.err.lines())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        for member in ["timestamp", "level", "target", "message"] {
            assert!(line[member].is_string(), "no {member} in {line}");
        }
        let of_a_request = line["target"].as_str().is_some_and(|target| {
            target.starts_with("upload_broker::http") || target == "upload_broker::access"
        });
        assert!(
            !of_a_request || line["request_id"].is_string(),
            "no request id: {line}"
        );
    }
    for id in ids {
        let access = (lines.iter())
            .filter(|line| line["target"] == "upload_broker::access" && line["request_id"] == *id);
        assert_eq!(access.count(), 1, "access lines of {id}");
    }
}
