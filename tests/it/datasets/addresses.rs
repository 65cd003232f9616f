//! A path in a list can be used in every operation, whatever other programs write into the bucket.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::paths::encoded;
use super::{list, next};
use crate::support::app::{App, Setup};
use crate::support::options;
use crate::support::reply::Reply;
use crate::support::seeded_rng::SeededRng;
use crate::support::serving::Caller;
use crate::support::store::Store;

/// Keys that no upload can have, and `n.csv`, which an upload can have.
const ODD: [&str; 9] = [
    "/n.csv",
    "a//b",
    "a/./b",
    "a/../b",
    "bell\u{7}",
    "folder/",
    "n.csv",
    "x/action/y",
    "..",
];

/// The path rules of the contract, implemented a second time.
fn is_path(relative: &str) -> bool {
    let segments: Vec<&str> = relative.split('/').collect();
    let reserved = segments.len() > 1 && segments[segments.len() - 2] == "action";
    let odd = ["", ".", ".."];
    !reserved
        && !segments.iter().any(|segment| odd.contains(segment))
        && !relative.chars().any(char::is_control)
}

#[tokio::test]
async fn keys_without_path_are_marked_in_every_kind_of_list() {
    let app = App::start().await;
    for key in ODD.into_iter().filter(|key| *key != "n.csv") {
        app.bucket.put(key, format!("foreign {key}")).await;
    }
    app.upload("/n.csv", "ours", json!({})).await;
    let flat = list(&app, "include=upload").await;
    let entries = flat.as_array().expect("an array");
    assert_eq!(entries.len(), ODD.len(), "{flat:#}");
    for entry in entries {
        if entry["path"] == "/n.csv" {
            assert_eq!(entry["upload"]["status"], "Uploaded", "{entry:#}");
            assert_eq!(entry.get("addressable"), None, "{entry:#}");
            continue;
        }
        let key = entry["key"].as_str().expect("a key");
        assert!(ODD.contains(&key), "{entry:#}");
        assert_eq!(entry["path"], Value::Null, "{entry:#}");
        assert_eq!(entry["addressable"], false, "{entry:#}");
        assert_eq!(entry["name"], key, "{entry:#}");
        assert_eq!(entry["upload"], Value::Null, "{entry:#}");
        assert_eq!(entry["size"], format!("foreign {key}").len(), "{entry:#}");
    }
    let ndjson = app.request(Method::GET, "/datasets?include=upload");
    let ndjson = Reply::of(ndjson.header("accept", "application/x-ndjson")).await;
    let lines: Vec<Value> = (ndjson.expect_ok().body.lines())
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(json!(lines), flat);

    let top = list(&app, "delimiter=/").await;
    let shown = |entry: &Value| match &entry["path"] {
        Value::Null => format!("no path: {}", entry["key"].as_str().expect("a key")),
        path => path.as_str().expect("a path").to_owned(),
    };
    let shown: Vec<_> = top
        .as_array()
        .expect("an array")
        .iter()
        .map(shown)
        .collect();
    let expected = [
        "no path: ..",
        "no path: /",
        "/a/",
        "no path: bell\u{7}",
        "/folder/",
        "/n.csv",
        "/x/",
    ];
    let set = |names: &[&str]| -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    assert_eq!(
        shown.into_iter().collect::<BTreeSet<_>>(),
        set(&expected),
        "{top:#}"
    );
    let inside = list(&app, "prefix=/a/&delimiter=/").await;
    let keys: BTreeSet<_> = (inside.as_array().expect("an array").iter())
        .map(|entry| entry["key"].as_str().expect("a key").to_owned())
        .collect();
    assert_eq!(keys, set(&["a//", "a/./", "a/../"]), "{inside:#}");
    for entry in inside.as_array().expect("an array") {
        assert_eq!(entry["kind"], "folder", "{entry:#}");
        assert_eq!(entry["path"], Value::Null, "{entry:#}");
        assert_eq!(entry["addressable"], false, "{entry:#}");
    }
    // Prefixes are matched literally, so such a folder can be listed all the same.
    let slash = list(&app, "prefix=//").await;
    assert_eq!(slash[0]["key"], "/n.csv", "{slash:#}");
    let folder = list(&app, "prefix=/folder/").await;
    assert_eq!(folder[0]["key"], "folder/", "{folder:#}");
}

#[tokio::test]
async fn no_operation_confuses_foreign_key_with_own_path() {
    let app = App::start().await;
    let (_, key) = app.issue_key("acme", &Scope::ALL, None).await;
    let acme = Caller::new(app.url.clone(), key);
    let ours = Caller::new(app.url.clone(), app.key.clone());
    for (caller, prefix) in [(&ours, ""), (&acme, "acme/")] {
        let kept = caller.upload("/n.csv", "ours").await;
        app.bucket.put(&format!("{prefix}/n.csv"), "foreign").await;
        for (method, path) in [
            (Method::GET, "/datasets//n.csv"),
            (Method::GET, "/datasets/%2F%2Fn.csv"),
            (Method::GET, "/datasets//n.csv/action/download"),
            (
                Method::GET,
                "/datasets//n.csv/action/download?redirect=false",
            ),
            (Method::POST, "/datasets//n.csv/action/acknowledge"),
            (Method::DELETE, "/datasets//n.csv"),
            (Method::DELETE, "/datasets//n.csv?force=true"),
            (Method::DELETE, "/datasets/%2F%2Fn.csv"),
        ] {
            let reply = Reply::of(caller.request(method, path)).await;
            let problem = reply.expect_problem(422, "invalid-request");
            assert_eq!(problem["errors"][0]["pointer"], "/path", "{problem:#}");
        }
        for (path, status) in [("//n.csv", 422), ("/n.csv", 409), ("n.csv", 409)] {
            let request = caller.request(Method::POST, "/uploads");
            let reply = Reply::of(request.json(&json!({"path": path}))).await;
            assert_eq!(reply.status.as_u16(), status, "{path}: {reply:#?}");
        }
        // With or without its leading slash, the path names our own object.
        for path in ["/datasets/n.csv", "/datasets/%2Fn.csv"] {
            let detail = caller.get(path).await.expect(StatusCode::OK);
            assert_eq!(detail["path"], "/n.csv", "{detail:#}");
            assert_eq!(detail["etag"], kept["object"]["etag"], "{detail:#}");
        }
        assert_eq!(app.bucket.get(&format!("{prefix}/n.csv")).await, b"foreign");
        assert_eq!(app.bucket.get(&format!("{prefix}n.csv")).await, b"ours");
    }
}

/// Random keys, many of them similar: the same key with one more slash, or with a dot segment.
fn keys(rng: &mut SeededRng, count: usize) -> BTreeSet<String> {
    const PIECES: [&str; 20] = [
        "/", "/", "/", "a", "b", "é", ".", "..", "action", "%2F", "%", "+", " ", "?", "#", "\\",
        "n.csv", "\u{7}", "data", "~",
    ];
    let mut keys: BTreeSet<String> = ODD.iter().map(|key| (*key).to_owned()).collect();
    while keys.len() < count {
        let mut key = String::new();
        for _ in 0..=rng.below(6) {
            let piece = usize::try_from(rng.below(20)).expect("a piece");
            key.push_str(PIECES[piece]);
        }
        keys.insert(format!("/{key}"));
        keys.insert(key.replace('/', "//"));
        keys.insert(key.replace('/', "/./"));
        keys.insert(key);
    }
    keys.remove("");
    // These belong to the other tenant.
    keys.retain(|key| !key.starts_with("acme/"));
    keys
}

/// All entries below `prefix`, page by page; with `folders`, folders that have a path are opened.
async fn entries(caller: &Caller, prefix: &str, folders: bool, query: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut todo = vec![prefix.to_owned()];
    while let Some(prefix) = todo.pop() {
        let prefix = utf8_percent_encode(&prefix, NON_ALPHANUMERIC);
        let delimiter = if folders { "&delimiter=/" } else { "" };
        let mut page = Some(format!("/datasets?prefix={prefix}{delimiter}{query}"));
        while let Some(path) = page {
            let reply = caller.get(&path).await;
            page = next(&reply);
            for entry in reply.expect(StatusCode::OK).as_array().expect("an array") {
                match (entry["kind"].as_str(), entry["path"].as_str()) {
                    (Some("folder"), Some(path)) => todo.push(path.to_owned()),
                    _ => found.push(entry.clone()),
                }
            }
        }
    }
    found
}

/// Compares an entry with the object that it describes.
async fn check(caller: &Caller, entry: &Value, objects: &BTreeMap<String, String>, prefix: &str) {
    let Some(path) = entry["path"].as_str() else {
        assert_eq!(entry["addressable"], false, "{entry:#}");
        let key = entry["key"].as_str().expect("a key");
        let relative = key.strip_prefix(prefix).expect("a key of this tenant");
        if entry["kind"] == "folder" {
            let inside = objects.keys().filter(|key| key.starts_with(relative));
            assert!(inside.clone().count() > 0, "{entry:#}");
            assert!(!inside.clone().any(|key| is_path(key)), "{entry:#}");
            return;
        }
        assert!(!is_path(relative), "{entry:#}");
        assert_eq!(entry["etag"], objects[relative], "{entry:#}");
        // No URL can hold these as a segment: every client removes them before it sends the request.
        if matches!(relative, "." | "..") {
            return;
        }
        // Spelled out all the same, it reaches no other object. An HTTP client would remove the
        // segments `.` and `..` between plain slashes.
        let spelled = match relative.strip_prefix('/') {
            Some(rest) => format!("//{}", encoded(&format!("/{rest}")).replace('/', "%2F")),
            None => format!("/{}", encoded(&format!("/{relative}")).replace('/', "%2F")),
        };
        let reply = caller.get(&format!("/datasets{spelled}")).await;
        if reply.status.is_success() {
            panic!("{entry:#} leads to {reply:#?}");
        }
        return;
    };
    assert_eq!(entry.get("addressable"), None, "{entry:#}");
    assert!(is_path(&path[1..]), "{entry:#}");
    assert_eq!(entry["etag"], objects[&path[1..]], "{entry:#}");
    let detail = caller.get(&format!("/datasets/{}", encoded(path))).await;
    let detail = detail.expect(StatusCode::OK);
    assert_eq!(detail["etag"], entry["etag"], "{entry:#}");
    assert_eq!(detail["path"], entry["path"], "{entry:#}");
}

#[tokio::test]
async fn every_listed_path_reads_back_the_listed_object() {
    let store = Store::start().await;
    let app = Setup::new().store(&store).start().await;
    let (_, key) = app.issue_key("acme", &Scope::ALL, None).await;
    let acme = Caller::new(app.url.clone(), key);
    let ours = Caller::new(app.url.clone(), app.key.clone());
    let seed = options::seed(7);
    for (caller, prefix) in [(&ours, ""), (&acme, "acme/")] {
        let keys = keys(&mut SeededRng(seed), 160);
        let uploaded = keys.iter().filter(|key| is_path(key)).step_by(5);
        let uploaded: BTreeSet<&String> = uploaded.collect();
        let mut objects = BTreeMap::new();
        for key in &keys {
            if uploaded.contains(key) {
                caller.upload(&format!("/{key}"), key).await;
            } else {
                app.bucket
                    .put(&format!("{prefix}{key}"), key.as_bytes())
                    .await;
            }
            let found = app.bucket.head(&format!("{prefix}{key}")).await;
            let found = found.unwrap_or_else(|| panic!("{key:?} is not in the store"));
            objects.insert(key.clone(), found.e_tag.expect("an ETag"));
        }
        let addressable = objects.keys().filter(|key| is_path(key)).count();
        assert!(
            addressable > 20 && addressable < objects.len() - 20,
            "a fair mix"
        );

        let flat = entries(caller, "", false, "&include=upload&limit=50").await;
        let opened = entries(caller, "", true, "&include=upload&limit=7").await;
        let ndjson = caller.request(Method::GET, "/datasets?include=upload");
        let ndjson = Reply::of(ndjson.header("accept", "application/x-ndjson")).await;
        let ndjson: Vec<Value> = (ndjson.expect_ok().body.lines())
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(flat.len(), objects.len(), "every object once, seed {seed}");
        assert_eq!(flat, ndjson, "seed {seed}");
        for entry in flat.iter().chain(&opened) {
            check(caller, entry, &objects, prefix).await;
        }
        let with_path = |entries: &[Value]| -> BTreeSet<String> {
            let paths = entries.iter().filter_map(|entry| entry["path"].as_str());
            paths.map(str::to_owned).collect()
        };
        assert_eq!(with_path(&flat).len(), addressable, "seed {seed}");
        assert_eq!(with_path(&flat), with_path(&opened), "seed {seed}");
        let known = flat
            .iter()
            .filter(|entry| entry["upload"]["id"].is_string());
        assert_eq!(known.count(), uploaded.len(), "seed {seed}");
    }
}
