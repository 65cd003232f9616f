//! Requests that cannot be answered.

use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::scene::store_text;
use crate::support::app::{App, id};

#[tokio::test]
async fn search_needs_a_word_and_valid_parameters() {
    let app = App::start().await;
    for (query, pointer) in [
        ("", "/q"),
        ("?q=", "/q"),
        ("?q=+", "/q"),
        ("?q=%22%22", "/q"),
        ("?q=-", "/q"),
        (&*format!("?q={}", "a".repeat(1_001)), "/q"),
        ("?q=a&q=b", "/q"),
        ("?q=a&limit=0", "/limit"),
        ("?q=a&limit=101", "/limit"),
        ("?q=a&prefix=%00", "/prefix"),
        ("?q=a&page=1", "/page"),
    ] {
        let problem = app.get(&format!("/search{query}")).await;
        let problem = problem.expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
    }
    // Whatever is in a query, it is no error of the database.
    for query in [
        "%27",
        "%5C",
        "a%26%26b",
        "%22a",
        "%28",
        "%3A%2A",
        "a+%3C-%3E+b",
        "%F0%9F%8D%8Ea",
    ] {
        let found = app.get(&format!("/search?q=a{query}")).await;
        assert_eq!(found.expect(StatusCode::OK), json!([]), "{query}");
    }
}

#[tokio::test]
async fn text_needs_an_upload_with_text_and_valid_parameters() {
    let app = App::start().await;
    let unknown = app.get(&format!("/uploads/{}/text", Uuid::max())).await;
    unknown.expect_problem(404, "upload-not-found");
    let upload = app.upload("/in/a.pdf", "x", json!({})).await;
    let path = format!("/uploads/{}/text", id(&upload));
    let missing = app.get(&path).await.expect_problem(409, "text-missing");
    assert_eq!(missing["upload_id"], upload["id"], "{missing:#}");
    for (query, pointer) in [
        ("page=0", "/page"),
        ("page=100001", "/page"),
        ("page=x", "/page"),
        ("page=1&limit=1", "/page"),
        ("limit=0", "/limit"),
        ("cursor=x", "/cursor"),
        // A page of uploads.
        (
            "cursor=eyJ1IjoiMDE5NTUxMTQtM2E0MC03YzNlLTlkMmItOGYxZjVmMGMyYTExIn0",
            "/cursor",
        ),
        ("pages=1", "/pages"),
    ] {
        let problem = app.get(&format!("{path}?{query}")).await;
        let problem = problem.expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
    }
}

#[tokio::test]
async fn cursor_of_one_text_is_refused_by_another() {
    let app = App::start().await;
    let mut links = Vec::new();
    for path in ["/in/a.pdf", "/in/b.pdf"] {
        let upload = app.upload(path, "x", json!({})).await;
        store_text(&app, &upload, "default", &["one", "two"]).await;
        let first = format!("/uploads/{}/text?limit=1", id(&upload));
        let first = app.get(&first).await;
        let link = first.header("link").expect("a next page").to_owned();
        let link = link.trim_start_matches('<').split('>').next();
        links.push(link.expect("a path").to_owned());
    }
    let next = app.get(&links[0]).await.expect(StatusCode::OK);
    assert_eq!(next["text"][0]["text"], "two", "{next:#}");
    let (path, _) = links[0].split_once('?').expect("a query");
    let (_, query) = links[1].split_once('?').expect("a query");
    let foreign = app.get(&format!("{path}?{query}")).await;
    let problem = foreign.expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/cursor", "{problem:#}");
}
