//! `GET /uploads`: filters, limits, and pages that are stable while rows are added.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, id};
use crate::support::reply::Reply;

/// The path of the `next` link of a page, which must be absolute.
fn next(reply: &Reply) -> Option<String> {
    let link = reply.header("link")?;
    let path = link
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    let path = path.unwrap_or_else(|| panic!("{reply:#?}"));
    assert!(path.starts_with("/uploads?"), "{reply:#?}");
    Some(path.to_owned())
}

fn paths(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a bare array");
    list.iter()
        .map(|upload| upload["path"].as_str().expect("a path"))
        .collect()
}

async fn listed_paths(app: &App, query: &str) -> Vec<String> {
    let list = app.get(&format!("/uploads?{query}")).await;
    let list = list.expect(StatusCode::OK);
    paths(&list).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn list_filters_by_status_prefix_and_path() {
    let app = App::start().await;
    for path in ["/a/1", "/a/2", "/b/3", "/a/1"] {
        app.create(path, json!({})).await;
    }
    let cancelled = app.create("/b/cancelled", json!({})).await;
    app.post_empty(&format!("/uploads/{}/cancel", id(&cancelled)))
        .await
        .expect(StatusCode::OK);
    app.upload("/a/uploaded", "x", json!({})).await;

    for (query, expected) in [
        (
            "",
            vec![
                "/a/uploaded",
                "/b/cancelled",
                "/a/1",
                "/b/3",
                "/a/2",
                "/a/1",
            ],
        ),
        ("status=Uploaded", vec!["/a/uploaded"]),
        (
            "status=Uploaded&status=Cancelled",
            vec!["/a/uploaded", "/b/cancelled"],
        ),
        ("status=Error", vec![]),
        ("prefix=/b/", vec!["/b/cancelled", "/b/3"]),
        ("prefix=b", vec!["/b/cancelled", "/b/3"]),
        ("prefix=/b/&status=Pending", vec!["/b/3"]),
        ("path=/a/1", vec!["/a/1", "/a/1"]),
        ("path=a/1", vec!["/a/1", "/a/1"]),
        ("path=/a", vec![]),
        (
            "prefix=/",
            vec![
                "/a/uploaded",
                "/b/cancelled",
                "/a/1",
                "/b/3",
                "/a/2",
                "/a/1",
            ],
        ),
    ] {
        assert_eq!(listed_paths(&app, query).await, expected, "{query}");
    }
    let problem = app.get("/uploads?status=Pending&status=Lost").await;
    let problem = problem.expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/status", "{problem:#}");
}

#[tokio::test]
async fn sql_wildcards_in_filters_are_matched_literally() {
    let app = App::start().await;
    for path in ["/a%b/x", "/a_b/x", "/aXb/x", "/a\\b/x", "/A%B/x"] {
        app.create(path, json!({})).await;
    }
    for (query, expected) in [
        ("prefix=/a%25", vec!["/a%b/x"]),
        ("prefix=/a_", vec!["/a_b/x"]),
        ("prefix=/a%5C", vec!["/a\\b/x"]),
        ("prefix=%25", vec![]),
        ("path=/a%25b/x", vec!["/a%b/x"]),
    ] {
        assert_eq!(listed_paths(&app, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn list_limit_must_be_between_1_and_1000() {
    let app = App::start().await;
    app.create("/a", json!({})).await;
    app.create("/b", json!({})).await;
    assert_eq!(listed_paths(&app, "limit=1").await, ["/b"]);
    assert_eq!(listed_paths(&app, "limit=1000").await, ["/b", "/a"]);
    for limit in ["0", "1001", "-1", "1.5", "ten", "", "99999999999999999999"] {
        let reply = app.get(&format!("/uploads?limit={limit}")).await;
        let problem = reply.expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "/limit", "{problem:#}");
    }
}

#[tokio::test]
async fn list_pages_are_stable_while_rows_are_added() {
    let app = App::start().await;
    // The clock stands still: even ids of the same millisecond are ordered.
    let mut expected = Vec::new();
    for n in 0..7 {
        let session = app.create(&format!("/in/{n}"), json!({})).await;
        expected.insert(0, id(&session).to_owned());
    }
    let mut page = Some("/uploads?prefix=/in/&status=Pending&status=Uploaded&limit=3".to_owned());
    let mut seen = Vec::new();
    let mut pages = 0;
    while let Some(path) = page {
        let reply = app.get(&path).await;
        page = next(&reply);
        if let Some(link) = &page {
            for kept in [
                "prefix=%2Fin%2F",
                "status=Pending",
                "status=Uploaded",
                "limit=3",
            ] {
                assert!(link.contains(kept), "{kept} in {link}");
            }
        }
        let list = reply.expect(StatusCode::OK);
        seen.extend(
            list.as_array()
                .expect("an array")
                .iter()
                .map(|one| id(one).to_owned()),
        );
        pages += 1;
        app.create(&format!("/in/late/{pages}"), json!({})).await;
    }
    assert_eq!(seen, expected);
    assert_eq!(pages, 3);
}

#[tokio::test]
async fn full_last_page_has_no_next_link() {
    let app = App::start().await;
    for path in ["/a", "/b"] {
        app.create(path, json!({})).await;
    }
    let reply = app.get("/uploads?limit=2").await;
    assert_eq!(next(&reply), None);
    assert_eq!(paths(&reply.expect(StatusCode::OK)), ["/b", "/a"]);
    let reply = app.get("/uploads?path=/nothing").await;
    assert_eq!(next(&reply), None);
    assert_eq!(reply.expect(StatusCode::OK), json!([]));
}
