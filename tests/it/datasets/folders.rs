//! Lists with `delimiter=/`.

use reqwest::StatusCode;
use serde_json::json;

use super::{list, next, paths};
use crate::support::app::App;

#[tokio::test]
async fn list_with_delimiter_groups_deeper_paths_into_folders() {
    let app = App::start().await;
    for key in [
        "a.csv",
        "data/b.csv",
        "data/deep/c.csv",
        "data/deep/d.csv",
        "data.csv",
        "été/x y/e.csv",
    ] {
        app.bucket.put(key, "x").await;
    }
    let top = list(&app, "delimiter=/").await;
    assert_eq!(
        paths(&top),
        ["/a.csv", "/data.csv", "/data/", "/été/"],
        "{top:#}"
    );
    assert_eq!(
        top[2],
        json!({"name": "data", "path": "/data/", "kind": "folder"})
    );
    assert!(top[0].get("kind").is_none(), "{top:#}");
    let data = list(&app, "prefix=/data/&delimiter=/&include=upload").await;
    assert_eq!(paths(&data), ["/data/b.csv", "/data/deep/"], "{data:#}");
    assert_eq!(data[1]["name"], "deep", "{data:#}");
    let started = list(&app, "prefix=/da&delimiter=/").await;
    assert_eq!(paths(&started), ["/data.csv", "/data/"], "{started:#}");
    let odd = list(&app, "prefix=%2F%C3%A9t%C3%A9%2F&delimiter=%2F").await;
    assert_eq!(
        odd,
        json!([{"name": "x y", "path": "/été/x y/", "kind": "folder"}])
    );
}

#[tokio::test]
async fn folders_count_towards_page_limit() {
    let app = App::start().await;
    for key in ["a/1", "a/2", "b", "c/3", "d/4", "e"] {
        app.bucket.put(key, "x").await;
    }
    let mut page = Some("/datasets?delimiter=/&limit=2".to_owned());
    let mut seen = Vec::new();
    while let Some(path) = page {
        let reply = app.get(&path).await;
        page = next(&reply);
        let entries = reply.expect(StatusCode::OK);
        assert!(paths(&entries).len() <= 2, "{entries:#}");
        seen.extend(paths(&entries).into_iter().map(str::to_owned));
    }
    assert_eq!(seen, ["/a/", "/b", "/c/", "/d/", "/e"]);
}

#[tokio::test]
async fn cursor_is_rejected_with_other_prefix_or_delimiter() {
    let app = App::start().await;
    for key in ["a/1", "a/2", "b/1"] {
        app.bucket.put(key, "x").await;
    }
    let first = app.get("/datasets?prefix=/a/&limit=1").await;
    let next = next(&first).expect("a next page");
    app.get(&next).await.expect(StatusCode::OK);
    for path in [
        next.replace("prefix=%2Fa%2F", "prefix=%2Fb%2F"),
        next.replace("prefix=%2Fa%2F", ""),
        format!("{next}&delimiter=/"),
    ] {
        assert_ne!(path, next, "another question");
        let problem = app.get(&path).await.expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "/cursor", "{path}");
    }
}
