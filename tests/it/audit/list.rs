//! `GET /audit` returns a tenant's own rows, in pages or as one NDJSON stream.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::{all, rows};
use crate::support::app::App;
use crate::support::reply::Reply;

/// Creates five sessions, one minute after another; the clock stands one minute after the last.
async fn app_with_five_sessions() -> App {
    let app = App::start().await;
    for path in ["/in/a", "/in/b", "/out/c", "/in/d", "/i_n/e"] {
        app.create(path, json!({})).await;
        app.advance(chrono::TimeDelta::minutes(1));
    }
    rows(&app, 5).await;
    app
}

async fn paths(app: &App, query: &str) -> Vec<String> {
    let list = app
        .get(&format!("/audit?action=upload.created&{query}"))
        .await;
    let list = list.expect(StatusCode::OK);
    let rows = list.as_array().expect("an array");
    let path = |row: &Value| row["path"].as_str().expect("a path").to_owned();
    rows.iter().map(path).collect()
}

#[tokio::test]
async fn list_filters_by_prefix_time_and_action() {
    let app = app_with_five_sessions().await;
    let at = |minutes: i64| {
        let at = app.clock.now() - chrono::TimeDelta::minutes(minutes);
        at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
    };
    let (third, fourth) = (at(3), at(2));
    for (query, expected) in [
        ("", vec!["/i_n/e", "/in/d", "/out/c", "/in/b", "/in/a"]),
        ("prefix=/in/", vec!["/in/d", "/in/b", "/in/a"]),
        ("prefix=in/", vec!["/in/d", "/in/b", "/in/a"]),
        ("prefix=/i_", vec!["/i_n/e"]),
        (&format!("since={third}"), vec!["/i_n/e", "/in/d", "/out/c"]),
        (&format!("until={third}"), vec!["/in/b", "/in/a"]),
        (&format!("since={third}&until={fourth}"), vec!["/out/c"]),
        ("since=2999-01-01T00:00:00Z", vec![]),
        ("until=1900-01-01T00:00:00Z", vec![]),
        (
            "action=upload.deleted",
            vec!["/i_n/e", "/in/d", "/out/c", "/in/b", "/in/a"],
        ),
    ] {
        assert_eq!(paths(&app, query).await, expected, "{query}");
    }
    let keys = app.get("/audit?action=key.created").await;
    let keys = keys.expect(StatusCode::OK);
    assert_eq!(keys.as_array().map(Vec::len), Some(1), "{keys:#}");
}

#[tokio::test]
async fn pages_and_ndjson_return_same_rows_while_rows_are_added() {
    let app = app_with_five_sessions().await;
    let mut whole = all(&app).await;
    whole.retain(|row| row["action"] == "upload.created");
    let mut next = Some("/audit?limit=2&prefix=/".to_owned());
    let mut found = Vec::new();
    while let Some(path) = next {
        let page = app.get(&path).await.expect_ok();
        found.extend(page.json().as_array().expect("an array").clone());
        // Rows that are added meanwhile do not shift the pages.
        app.create(&format!("/new/{}", found.len()), json!({}))
            .await;
        next = (page.header("link")).map(|link| {
            let link = link.trim_start_matches('<');
            link.split('>').next().expect("a path").to_owned()
        });
    }
    assert_eq!(found, whole);

    let request = app.request(
        Method::GET,
        "/audit?action=upload.created&prefix=/in/&limit=1",
    );
    let lines = Reply::of(request.header("accept", "application/x-ndjson")).await;
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    let lines: Vec<Value> = (lines.body.lines())
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let mut expected = whole;
    expected.retain(|row| {
        row["path"]
            .as_str()
            .is_some_and(|path| path.starts_with("/in/"))
    });
    assert_eq!(lines, expected);
}

/// 2,300 rows are more than one page of the broker, and more than one page of S3.
#[tokio::test]
async fn ndjson_streams_more_rows_than_one_page_holds() {
    let app = App::start().await;
    let many = "INSERT INTO audit (id, at, tenant, actor, action, path) \
        SELECT gen_random_uuid(), now(), 'default', 'key:x', 'upload.created', '/n/' || n \
        FROM generate_series(1, 2300) AS n";
    app.sql().await.batch_execute(many).await.expect("rows");
    let request = app.request(Method::GET, "/audit?prefix=/n/");
    let lines = Reply::of(request.header("accept", "application/x-ndjson")).await;
    let mut paths: Vec<_> = (lines.body.lines())
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["path"].to_string())
        .collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), 2_300);
}

#[tokio::test]
async fn list_hides_rows_of_another_tenant() {
    let app = app_with_five_sessions().await;
    let (_, acme) = app.issue_key("acme", &[Scope::Admin], None).await;
    let as_acme = async |path: &str| {
        let request = app.http.get(format!("{}{path}", app.url));
        Reply::of(request.bearer_auth(&acme)).await
    };
    let page = app.get("/audit?limit=2").await;
    let link = page.header("link").expect("a next page").to_owned();
    let next = link
        .trim_start_matches('<')
        .split('>')
        .next()
        .expect("a path");
    for path in ["/audit", "/audit?prefix=/in/", "/audit?prefix=", next] {
        let rows = as_acme(path).await.expect(StatusCode::OK);
        for row in rows.as_array().expect("an array") {
            assert_eq!(row["tenant"], "acme", "{path}: {row:#}");
        }
    }
}

#[tokio::test]
async fn list_rejects_invalid_parameters_with_pointer() {
    let app = App::start().await;
    app.create("/a", json!({})).await;
    app.create("/b", json!({})).await;
    let uploads = app.get("/uploads?limit=1").await;
    let link = uploads.header("link").expect("a next page");
    let (_, foreign) = link.split_once("cursor=").expect("a cursor");
    let foreign = foreign.split('>').next().expect("a cursor");
    for (query, pointer) in [
        ("action=upload.eaten".to_owned(), "/action"),
        ("since=yesterday".to_owned(), "/since"),
        ("until=2026-11-21".to_owned(), "/until"),
        ("prefix=%07".to_owned(), "/prefix"),
        ("limit=0".to_owned(), "/limit"),
        ("cursor=x".to_owned(), "/cursor"),
        (format!("cursor={foreign}"), "/cursor"),
        ("tenant=acme".to_owned(), "/tenant"),
    ] {
        for accept in ["application/json", "application/x-ndjson"] {
            let request = app.request(Method::GET, &format!("/audit?{query}"));
            let reply = Reply::of(request.header("accept", accept)).await;
            let problem = reply.expect_problem(422, "invalid-request");
            assert_eq!(
                problem["errors"][0]["pointer"], pointer,
                "{query}: {problem:#}"
            );
        }
    }
}
