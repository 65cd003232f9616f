//! Random attempts to leave a tenant's part of the bucket, through HTTP and against a real S3
//! server. Whatever is requested, objects outside are unchanged and not revealed.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;
use upload_broker::usecases::tenants::{self, Changes, Place};

use super::scene::connect;
use crate::support::app::{App, id};
use crate::support::options;
use crate::support::raw;
use crate::support::reply::Reply;
use crate::support::serving::Caller;

/// Objects of others: of tenants with similar names or prefixes, and of the default tenant.
const FOREIGN_KEYS: &[&str] = &[
    "ab/x.csv",
    "ab/a/x.csv",
    "a-b/x.csv",
    "a.csv",
    "a%2Fx.csv",
    "teams/a2/x.csv",
    "x.csv",
    "zoo/a/x.csv",
];
const OWN_KEYS: &[&str] = &["a/x.csv", "a/deep/x.csv"];

/// A broker with the tenants `a`, `ab`, `a-b` and `far`, and a caller in `a`.
async fn app_with_four_tenants() -> (App, Caller) {
    let app = App::start().await;
    let mut connection = connect(&app).await;
    for (name, prefix) in [
        ("a", None),
        ("ab", None),
        ("a-b", None),
        ("far", Some("teams/a2/")),
    ] {
        let changes = Changes::default();
        let prefix = prefix.map(str::to_owned);
        let place = Place {
            prefix,
            ..Place::default()
        };
        let made = tenants::create(&mut connection, &app.clock, name, place, changes).await;
        made.expect("a tenant");
    }
    for key in FOREIGN_KEYS.iter().chain(OWN_KEYS) {
        app.bucket.put(key, *key).await;
    }
    let (_, key) = app.issue_key("a", &Scope::ALL, None).await;
    let caller = Caller::new(app.url.clone(), key);
    (app, caller)
}

/// Every object outside of `a/` with its ETag.
async fn outside(app: &App) -> BTreeMap<String, String> {
    let list = app.bucket.client.list_objects_v2().bucket(&app.bucket.name);
    let list = list.send().await.expect("a listing");
    let all = list.contents().iter().map(|object| {
        let key = object.key().expect("a key").to_owned();
        (key, object.e_tag().expect("an ETag").to_owned())
    });
    all.filter(|(key, _)| !key.starts_with("a/")).collect()
}

/// A path, a prefix or a piece of a URL that tries to leave the tenant's folder.
fn attempt() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "a", "ab", "a-b", "b", "x.csv", "a.csv", "teams", "a2", "zoo", "deep", "..", ".", "",
            "action", "download", "%2F", "%2f", "%2e%2e", "%252e%252e", "%5c", "\\", "..\\", ";",
            "\u{2025}", "\u{ff0e}\u{ff0e}", "\u{2215}", "\u{ff0f}", "a\u{301}", "\u{202e}", "\0",
            "\n", "\u{7f}", "?", "#", "*", "%00", "%c0%af", "%u2216", " ", "+",
        ]).prop_map(str::to_owned),
        1 => "\\PC{1,6}",
        1 => Just("x".repeat(600)),
    ];
    let separator = prop::sample::select(vec!["/", "/", "/", "//", "", "\\", "%2F", "/./", "/../"]);
    prop::collection::vec((separator, piece), 1..6).prop_map(|pieces| {
        let pieces = pieces.into_iter();
        pieces
            .map(|(separator, piece)| format!("{separator}{piece}"))
            .collect()
    })
}

/// Asserts that an answer contains only data of the caller.
#[track_caller]
fn assert_only_own_data(status: u16, body: &str, what: &str) {
    assert!(status < 500, "{what}: {status} {body}");
    if !(200..300).contains(&status) || body.is_empty() {
        return;
    }
    let value: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{what}: {body}"));
    let entries = value.as_array().cloned().unwrap_or_else(|| vec![value]);
    for entry in entries {
        if let Some(s3_url) = entry["s3_url"].as_str() {
            let key = s3_url.trim_start_matches("s3://").split_once('/');
            let (_, key) = key.expect("a key");
            assert!(key.starts_with("a/"), "{what}: {entry:#}");
        }
        for url in [
            &entry["upload"]["url"],
            &entry["url"],
            &entry["download_url"],
        ] {
            let Some(url) = url.as_str() else { continue };
            let url = url::Url::parse(url).expect("a URL");
            let mut segments = url.path_segments().expect("a path");
            assert_eq!(segments.nth(1), Some("a"), "{what}: {entry:#}");
        }
        // The paths of a listing or of a dataset must be below `a/`.
        if let (Some(path), None) = (entry["path"].as_str(), entry.get("status")) {
            let own = ["/x.csv", "/deep/x.csv", "/deep/"];
            assert!(own.contains(&path), "{what}: {entry:#}");
        }
    }
}

/// Sends a request with a target that no client normalises, and checks the answer.
async fn ask(app: &App, caller: &Caller, method: &str, target: &str) {
    let key = &caller.key;
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: broker\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\r\n"
    );
    let reply = raw::send(app, request).await;
    assert_only_own_data(reply.status, &reply.body, &format!("{method} {target}"));
}

/// The text as it is, as far as a request line can contain it.
fn bare(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'!'..=b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[tokio::test]
async fn random_paths_never_reach_or_reveal_objects_of_others() {
    let (app, caller) = app_with_four_tenants().await;
    let before = outside(&app).await;
    assert_eq!(before.len(), FOREIGN_KEYS.len());
    let mut runner = TestRunner::deterministic();
    let mut created = 0;
    for _ in 0..options::cases(100) {
        let tree = attempt().new_tree(&mut runner);
        let text = tree.expect("a text").current();
        let encoded = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
        // The text as it is, and with everything encoded.
        for tail in [&bare(&text), &encoded] {
            for target in [
                format!("/datasets/{tail}"),
                format!("/datasets{tail}/action/download?redirect=false"),
                format!("/datasets?prefix={tail}"),
                format!("/datasets?delimiter=/&prefix={tail}"),
                format!("/uploads?prefix={tail}"),
            ] {
                ask(&app, &caller, "GET", &target).await;
            }
            let target = format!("/datasets/{tail}?force=remove");
            ask(&app, &caller, "DELETE", &target).await;
            let target = format!("/datasets{tail}/action/acknowledge");
            ask(&app, &caller, "POST", &target).await;
        }
        let body = json!({"path": text, "overwrite": true});
        let made = Reply::of(caller.request(Method::POST, "/uploads").json(&body)).await;
        assert_only_own_data(made.status.as_u16(), &made.body, &text);
        if made.status.is_success() {
            let session = made.json();
            // S3 itself decides where the bytes go, so it is the URL that counts.
            caller.put(&session, "new").await;
            caller.acknowledge(&session).await;
            created += 1;
            let path = format!("/uploads/{}?force=remove", id(&session));
            Reply::of(caller.request(Method::DELETE, &path)).await;
        }
    }
    assert!(created > 10, "only {created} paths were good");
    assert_eq!(outside(&app).await, before);
    for key in FOREIGN_KEYS {
        assert_eq!(app.bucket.get(key).await, key.as_bytes());
    }
}

/// Uses cursors of every other tenant in every list and with a prefix. None of them leads outside.
#[tokio::test]
async fn cursors_of_other_tenants_reveal_nothing() {
    let (app, caller) = app_with_four_tenants().await;
    let mut cursors: Vec<String> = Vec::new();
    for tenant in ["default", "ab", "a-b", "far"] {
        let (_, key) = app.issue_key(tenant, &Scope::ALL, None).await;
        let other = Caller::new(app.url.clone(), key);
        for n in 0..2 {
            other.create(&format!("/new{n}.csv")).await;
        }
        for list in [
            "/datasets?limit=1",
            "/datasets?limit=1&delimiter=/",
            "/uploads?limit=1",
        ] {
            let page = other.get(list).await.expect_ok();
            let Some(link) = page.header("link") else {
                continue;
            };
            let (_, rest) = link.split_once("cursor=").expect("a cursor");
            let end = rest.find(['&', '>']).expect("an end");
            cursors.push(rest[..end].to_owned());
        }
    }
    assert!(cursors.len() >= 6, "{cursors:?}");
    for cursor in &cursors {
        for list in [
            "/datasets?",
            "/datasets?delimiter=/&",
            "/uploads?",
            "/datasets?prefix=/deep/&",
        ] {
            let path = format!("{list}limit=1000&cursor={cursor}");
            let reply = caller.get(&path).await;
            assert_only_own_data(reply.status.as_u16(), &reply.body, &path);
            if list.starts_with("/uploads") && reply.status.is_success() {
                assert_eq!(reply.json(), Value::Array(vec![]), "{path}");
            }
        }
    }
}
