//! Unusual paths pass through every operation unchanged.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{list, paths};
use crate::support::app::App;
use crate::support::reply::Reply;

const SEGMENTS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');

/// A path as it appears in a URL after `/datasets/`: all special characters encoded, slashes kept.
pub(super) fn encoded(path: &str) -> String {
    utf8_percent_encode(&path[1..], SEGMENTS).to_string()
}

const ODD: [&str; 18] = [
    "/in/a b.csv",
    "/in/a+b.csv",
    "/in/100%.csv",
    "/in/100%25.csv",
    "/in/%2F.csv",
    "/in/a#b.csv",
    "/in/a?b=c&d.csv",
    "/in/a;b=c.csv",
    "/in/a:b@c$d,e!.csv",
    "/in/it's \"here\".csv",
    "/in/back\\slash.csv",
    "/in/<a>&amp;.csv",
    "/in/[x]{y}|z^`~.csv",
    "/in/été.csv",
    "/in/e\u{301}te\u{301}.csv",
    "/in/日本/語.csv",
    "/in/😀.csv",
    "/in/ leading and trailing ",
];

#[tokio::test]
async fn unusual_paths_pass_through_every_operation_unchanged() {
    let app = App::start().await;
    for path in ODD {
        let uploaded = app
            .upload(path, path, json!({"content_type": "text/csv"}))
            .await;
        assert_eq!(uploaded["path"], path);
        assert_eq!(app.bucket.get(&path[1..]).await, path.as_bytes(), "{path}");

        let url = format!("/datasets/{}", encoded(path));
        let detail = app.get(&url).await.expect(StatusCode::OK);
        assert_eq!(detail["path"], path, "{detail:#}");
        assert_eq!(detail["upload"]["id"], uploaded["id"], "{path}");
        let slashes_too = format!("/datasets/{}", encoded(path).replace('/', "%2F"));
        let same = app.get(&slashes_too).await.expect(StatusCode::OK);
        assert_eq!(same["path"], path, "{same:#}");

        let location = app.get(&format!("{url}/action/download")).await;
        let location = location.header("location").expect("a location").to_owned();
        let got = Reply::of(app.http.get(location)).await.expect_ok();
        assert_eq!(got.body, path);

        let prefix = utf8_percent_encode(path, NON_ALPHANUMERIC);
        let listed = list(&app, &format!("prefix={prefix}&include=upload")).await;
        assert_eq!(paths(&listed), [path], "{listed:#}");
        assert_eq!(listed[0]["upload"]["id"], uploaded["id"], "{path}");
        let known = app.get(&format!("/uploads?path={prefix}")).await;
        let known = known.expect(StatusCode::OK);
        assert_eq!(known[0]["id"], uploaded["id"], "{path}");
    }
    let listed = list(&app, "prefix=/in/").await;
    let mut expected = ODD.to_vec();
    expected.sort_unstable();
    assert_eq!(paths(&listed), expected);
    for path in ODD {
        let reply = app.delete(&format!("/datasets/{}", encoded(path))).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{path}: {reply:#?}");
    }
    assert_eq!(list(&app, "").await, json!([]));
}

#[tokio::test]
async fn longest_key_is_accepted_and_one_byte_more_is_rejected() {
    let app = App::start().await;
    // 1,024 bytes: 340 characters of three bytes, and a few of one.
    let path = format!("/abcd{}", "語".repeat(340));
    assert_eq!(path.len(), 1025);
    app.upload(&path, "x", json!({})).await;
    let url = format!("/datasets/{}", encoded(&path));
    let detail = app.get(&url).await.expect(StatusCode::OK);
    assert_eq!(detail["path"], path, "{detail:#}");
    let reply = app
        .post("/uploads", json!({"path": format!("{path}x")}))
        .await;
    let problem = reply.expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/path", "{problem:#}");
}

/// Keys that only other programs can write, with characters that XML cannot represent.
#[tokio::test]
async fn key_with_character_invalid_in_xml_is_listed() {
    let app = App::start().await;
    for key in ["in/bell\u{7}.csv", "in/a b+c%41.csv", "o d+d%/x.csv"] {
        app.bucket.put(key, "x").await;
    }
    let all = list(&app, "prefix=/in/").await;
    assert_eq!(all[0]["path"], "/in/a b+c%41.csv", "{all:#}");
    assert_eq!(all[1]["path"], Value::Null, "{all:#}");
    assert_eq!(all[1]["key"], "in/bell\u{7}.csv", "{all:#}");
    let folders = list(&app, "delimiter=/").await;
    assert_eq!(paths(&folders), ["/in/", "/o d+d%/"]);
}

/// While the broker tests a store, and after a test whose objects could not be removed.
#[tokio::test]
async fn folder_of_probes_is_neither_listed_nor_reached() {
    let app = App::start().await;
    app.bucket
        .put(".upload-broker-doctor/a/once", "probe")
        .await;
    app.bucket.put("in/x.csv", "x").await;
    assert_eq!(paths(&list(&app, "").await), ["/in/x.csv"]);
    assert_eq!(paths(&list(&app, "delimiter=/").await), ["/in/"]);
    let url = "/datasets/.upload-broker-doctor/a/once";
    app.get(url).await.expect_problem(404, "dataset-not-found");
    app.delete(url)
        .await
        .expect_problem(404, "dataset-not-found");
    let create = json!({"path": "/.upload-broker-doctor/a/mine"});
    let problem = app.post("/uploads", create).await;
    let problem = problem.expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/path", "{problem:#}");
    assert_eq!(app.bucket.keys().await.len(), 2);
}
