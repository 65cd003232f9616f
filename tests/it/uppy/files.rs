//! Where files go, and what is kept of their metadata.

use reqwest::StatusCode;
use serde_json::json;
use upload_broker::domain::principal::Scope;

use super::client::{Uppy, field, send_form, setup, upload_at, upload_of};
use crate::auth::tokens::issue_token;

#[tokio::test]
async fn folder_and_relative_path_are_kept() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    for (query, start, end) in [
        ("filename=a.jpg", "", "-a.jpg"),
        (
            "filename=a.jpg&metadata[path]=%2Fin%2F2024",
            "in/2024/",
            "-a.jpg",
        ),
        ("filename=a.jpg&metadata[path]=in%2F", "in/", "-a.jpg"),
        (
            "filename=a.jpg&metadata[relativePath]=p%2Fq%2Fa.jpg",
            "p/q/",
            "-a.jpg",
        ),
        ("filename=a.jpg&metadata[relativePath]=null", "", "-a.jpg"),
        ("filename=a%2Fb%2Bc+d%25.jpg", "", "-a_b+c d%.jpg"),
        ("filename=%E6%96%87%E4%BB%B6.jpg", "", "-文件.jpg"),
        ("filename=%24%7Bfilename%7D", "", "-filename"),
    ] {
        let form = uppy.params(query).await;
        let key = field(&form, "key");
        assert!(
            key.starts_with(start) && key.ends_with(end),
            "{query}: {key}"
        );
        let unique = key.trim_start_matches(start).trim_end_matches(end);
        assert!(uuid::Uuid::try_parse(unique).is_ok(), "{query}: {key}");
        send_form(&app.http, &form, b"x").await.expect_ok();
        let acknowledge = format!("/uploads/{}/acknowledge", upload_of(&form));
        let upload = app.post_empty(&acknowledge).await.expect(StatusCode::OK);
        assert_eq!(upload["path"], format!("/{key}"), "{query}");
    }
}

#[tokio::test]
async fn caller_stays_in_its_folder_and_tenant() {
    let app = setup().start().await;
    let token = issue_token(&app, json!({"prefix": "/in/"})).await;
    let page = Uppy::v6(&app, &token.key);
    let form = page.params("filename=a.txt").await;
    assert!(field(&form, "key").starts_with("in/"), "{form:#}");
    let form = page.params("filename=a.txt&metadata[path]=sub").await;
    assert!(field(&form, "key").starts_with("in/sub/"), "{form:#}");
    for folder in ["%2Fout", "%2F"] {
        let path = format!("/s3/params?filename=a&metadata[path]={folder}");
        let problem = page.get(&path).await.expect_problem(403, "outside-prefix");
        assert_eq!(
            problem["errors"][0]["pointer"], "/metadata/path",
            "{problem:#}"
        );
    }
    for folder in ["..", "%2Fin%2F..%2F..", "a%2F%2Fb", "action"] {
        let path = format!("/s3/params?filename=a&metadata[path]={folder}");
        let refused = page.get(&path).await;
        assert!(
            [403, 422].contains(&refused.status.as_u16()),
            "{folder}: {refused:#?}"
        );
        assert!(refused.json()["message"].is_string(), "{refused:#?}");
    }
    let (_, acme) = app.issue_key("acme", &Scope::ALL, None).await;
    let form = Uppy::with_key(&app, &acme).params("filename=a.txt").await;
    assert!(field(&form, "key").starts_with("acme/"), "{form:#}");
}

#[tokio::test]
async fn metadata_of_any_type_is_stored_as_text() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let begun = uppy
        .begin_with(json!({
            "filename": "a b é.bin", "type": "application/octet-stream",
            "metadata": {
                "name": "Title", "type": "application/octet-stream", "relativePath": null,
                "path": "/in", "number": 7, "flag": true, "caption": "two\nlines", "list": [1],
            },
        }))
        .await;
    let upload = upload_at(&app, &begun.key).await;
    assert!(begun.key.starts_with("in/"), "{}", begun.key);
    assert_eq!(upload["name"], "Title", "{upload:#}");
    let expected = json!({"number": "7", "flag": "true", "caption": "two\nlines", "list": "[1]"});
    assert_eq!(upload["metadata"], expected, "{upload:#}");
    assert_eq!(upload["size"], json!(null), "{upload:#}");
}

#[tokio::test]
async fn long_name_keeps_its_end_and_too_much_metadata_is_refused() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let name = format!("{}.csv", "n".repeat(2_000));
    let form = uppy.params(&format!("filename={name}")).await;
    let key = field(&form, "key");
    assert!(key.ends_with("nnn.csv") && key.len() < 600, "{key}");
    let large = "x".repeat(3_000);
    let path = format!("/s3/params?filename=a&metadata[x]={large}");
    uppy.get(&path).await.expect_problem(422, "invalid-request");
    let refused = uppy.get("/s3/params?filename=a&type=nothing").await;
    let problem = refused.expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/type", "{problem:#}");
}
