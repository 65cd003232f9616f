//! Datasets over HTTP: listed from the bucket, read, downloaded, deleted.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, id};
use crate::support::reply::Reply;

mod addresses;
mod copy;
mod copy_faults;
mod copy_once;
mod copy_targets;
mod delete;
mod detail;
mod download;
mod folders;
mod many;
mod paths;

fn fields(value: &Value) -> BTreeSet<&str> {
    let fields = value.as_object().expect("an object");
    fields.keys().map(String::as_str).collect()
}

fn paths(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a bare array");
    list.iter()
        .map(|entry| entry["path"].as_str().expect("a path"))
        .collect()
}

/// The path of the next page, which must be absolute.
fn next(reply: &Reply) -> Option<String> {
    let link = reply.header("link")?;
    let path = link
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    let path = path.unwrap_or_else(|| panic!("{reply:#?}"));
    assert!(path.starts_with("/datasets?"), "{reply:#?}");
    Some(path.to_owned())
}

async fn list(app: &App, query: &str) -> Value {
    let reply = app.get(&format!("/datasets?{query}")).await;
    reply.expect(StatusCode::OK)
}

#[tokio::test]
async fn list_shows_objects_with_and_without_upload() {
    let app = App::start().await;
    let uploaded = app
        .upload("/data/b.csv", "bb", json!({"name": "Bees"}))
        .await;
    app.bucket.put("data/a.csv", "a").await;
    app.create("/data/c.csv", json!({})).await;

    let plain = list(&app, "prefix=/data/").await;
    assert_eq!(paths(&plain), ["/data/a.csv", "/data/b.csv"], "{plain:#}");
    for entry in plain.as_array().expect("an array") {
        let expected = ["name", "path", "size", "etag", "last_modified"];
        assert_eq!(fields(entry), BTreeSet::from(expected), "{plain:#}");
        let time = entry["last_modified"].as_str().expect("a time");
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
    }
    assert_eq!(plain[0]["name"], "a", "{plain:#}");
    assert_eq!(plain[1]["size"], 2, "{plain:#}");
    assert_eq!(plain[1]["etag"], uploaded["object"]["etag"], "{plain:#}");

    let known = list(&app, "include=upload").await;
    assert_eq!(known[0]["upload"], Value::Null, "{known:#}");
    assert!(
        fields(&known[0]).contains("upload"),
        "null is an answer: {known:#}"
    );
    assert_eq!(known[1]["name"], "Bees", "the declared name: {known:#}");
    assert_eq!(
        known[1]["upload"],
        json!({"id": uploaded["id"], "status": "Uploaded", "verification": uploaded["verification"]})
    );
    assert!(!fields(&known[1]).contains("drifted"), "{known:#}");
}

#[tokio::test]
async fn list_and_detail_mark_replaced_object_as_drifted() {
    let app = App::start().await;
    app.upload("/a.csv", "one", json!({})).await;
    let listed = list(&app, "include=upload").await;
    assert!(!fields(&listed[0]).contains("drifted"), "{listed:#}");
    app.bucket.put("a.csv", "two").await;
    let listed = list(&app, "include=upload").await;
    assert_eq!(listed[0]["drifted"], true, "{listed:#}");
    let detail = app.get("/datasets/a.csv").await.expect(StatusCode::OK);
    assert_eq!(detail["drifted"], true, "{detail:#}");
}

#[tokio::test]
async fn list_ignores_superseded_and_deleted_uploads() {
    let app = App::start().await;
    let old = app.upload("/a.csv", "one", json!({"name": "Old"})).await;
    let new = app
        .upload("/a.csv", "two", json!({"name": "New", "overwrite": true}))
        .await;
    let listed = list(&app, "include=upload").await;
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed:#}");
    assert_eq!(listed[0]["upload"]["id"], new["id"], "{listed:#}");
    assert_eq!(listed[0]["name"], "New", "{listed:#}");
    assert_ne!(id(&old), id(&new));

    app.delete("/datasets/a.csv").await.expect_ok();
    app.bucket.put("a.csv", "foreign").await;
    let listed = list(&app, "include=upload").await;
    assert_eq!(listed[0]["upload"], Value::Null, "{listed:#}");
    assert_eq!(listed[0]["name"], "a", "{listed:#}");
}

#[tokio::test]
async fn list_matches_prefix_literally() {
    let app = App::start().await;
    for key in [
        "data/a",
        "data/b",
        "database/c",
        "Data/d",
        "da%ta/e",
        "da ta/f",
    ] {
        app.bucket.put(key, "x").await;
    }
    for (query, expected) in [
        ("prefix=/data", vec!["/data/a", "/data/b", "/database/c"]),
        ("prefix=data/", vec!["/data/a", "/data/b"]),
        ("prefix=/da%25", vec!["/da%ta/e"]),
        ("prefix=/da+", vec!["/da ta/f"]),
        ("prefix=/da%20", vec!["/da ta/f"]),
        ("prefix=//data", vec![]),
        ("prefix=/..", vec![]),
        ("prefix=*", vec![]),
    ] {
        let listed = list(&app, query).await;
        assert_eq!(paths(&listed), expected, "{query}");
    }
}

#[tokio::test]
async fn list_of_empty_bucket_is_empty() {
    let app = App::start().await;
    let reply = app.get("/datasets").await;
    assert_eq!(next(&reply), None);
    assert_eq!(reply.expect(StatusCode::OK), json!([]));
    let request = app.request(reqwest::Method::GET, "/datasets");
    let reply = Reply::of(request.header("accept", "application/x-ndjson")).await;
    assert_eq!(reply.expect_ok().body, "");
}
