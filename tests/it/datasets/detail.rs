//! `GET /datasets/{path}`: one dataset with all its attributes.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::fields;
use crate::support::app::App;
use crate::support::reply::Reply;

const FIELDS: [&str; 11] = [
    "name",
    "path",
    "size",
    "etag",
    "last_modified",
    "content_type",
    "metadata",
    "version_id",
    "checksum",
    "upload",
    "download_url",
];

#[tokio::test]
async fn detail_returns_all_attributes_and_working_download_url() {
    let app = App::start().await;
    let checksum = json!({"algorithm": "CRC32", "value": "tsOTXA=="});
    let declared = json!({"name": "Staff", "checksum": checksum, "metadata": {"team": "hr"}});
    let uploaded = app
        .upload("/data/e.csv", "id,name\n1,Ada\n", declared)
        .await;
    let detail = app.get("/datasets/data/e.csv").await.expect(StatusCode::OK);
    assert_eq!(fields(&detail), BTreeSet::from(FIELDS), "{detail:#}");
    for (field, expected) in [
        ("name", json!("Staff")),
        ("path", json!("/data/e.csv")),
        ("size", json!(14)),
        ("etag", uploaded["object"]["etag"].clone()),
        ("content_type", json!("text/csv")),
        ("checksum", checksum),
        ("metadata", json!({"upload-id": uploaded["id"]})),
    ] {
        assert_eq!(detail[field], expected, "{field} of {detail:#}");
    }
    assert_eq!(
        detail["upload"],
        json!({"id": uploaded["id"], "status": "Uploaded", "verification": uploaded["verification"]})
    );
    let url = detail["download_url"].as_str().expect("a URL");
    let got = Reply::of(app.http.get(url)).await.expect_ok();
    assert_eq!(got.body, "id,name\n1,Ada\n");
}

#[tokio::test]
async fn detail_of_object_without_upload_has_null_upload() {
    let app = App::start().await;
    app.bucket.put("other.bin", "xyz").await;
    let detail = app.get("/datasets/other.bin").await.expect(StatusCode::OK);
    assert_eq!(fields(&detail), BTreeSet::from(FIELDS), "{detail:#}");
    assert_eq!(detail["name"], "other", "{detail:#}");
    assert_eq!(detail["upload"], Value::Null, "{detail:#}");
    assert_eq!(detail["metadata"], json!({}), "{detail:#}");
}

#[tokio::test]
async fn detail_of_missing_dataset_is_not_found() {
    let app = App::start().await;
    app.bucket.put("data/e.csv", "x").await;
    app.create("/promised.csv", json!({})).await;
    for path in [
        "data",
        "data/e",
        "data/e.csvx",
        "promised.csv",
        "data/e.csv/x",
    ] {
        let path = format!("/datasets/{path}");
        app.get(&path)
            .await
            .expect_problem(404, "dataset-not-found");
        let head = Reply::of(app.request(Method::HEAD, &path)).await;
        assert_eq!(head.status, StatusCode::NOT_FOUND, "{head:#?}");
        assert_eq!(head.body, "");
    }
}

#[tokio::test]
async fn head_returns_headers_of_get_without_body() {
    let app = App::start().await;
    app.bucket.put("a.csv", "x").await;
    for path in [
        "/datasets",
        "/datasets?limit=1",
        "/datasets/a.csv/action/download?redirect=false",
    ] {
        let head = Reply::of(app.request(Method::HEAD, path)).await;
        let get = app.get(path).await;
        assert_eq!(head.status, StatusCode::OK, "{head:#?}");
        assert_eq!(head.body, "");
        assert_eq!(head.header("content-type"), get.header("content-type"));
        assert_eq!(head.header("content-length"), get.header("content-length"));
    }
    let request = app.request(Method::HEAD, "/datasets/a.csv/action/download");
    let head = Reply::of(request).await;
    assert_eq!(head.status, StatusCode::FOUND, "{head:#?}");
    assert!(head.header("location").is_some(), "{head:#?}");
    let request = app.request(Method::HEAD, "/datasets");
    let head = Reply::of(request.header("accept", "application/x-ndjson")).await;
    assert_eq!(head.header("content-type"), Some("application/x-ndjson"));
}
