//! Search and text of one tenant or folder do not reach another one.

use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::scene::{Scene, found_by, store_text};
use crate::auth::tokens::issue_token;
use crate::support::app::{App, id};
use crate::support::serving::Caller;

fn paths(hits: &Value) -> Vec<&str> {
    let hits = hits.as_array().expect("an array").iter();
    hits.map(|hit| hit["path"].as_str().expect("a path"))
        .collect()
}

#[tokio::test]
async fn search_and_text_of_another_tenant_do_not_exist() {
    let app = App::start().await;
    let scopes = [Scope::UploadsWrite, Scope::UploadsRead, Scope::DatasetsRead];
    let (_, key) = app.issue_key("acme", &scopes, None).await;
    let acme = Caller::new(app.url.clone(), key);
    let ours = app.upload("/in/a.pdf", "x", json!({})).await;
    let theirs = acme.upload("/in/b.pdf", "y").await;
    store_text(&app, &ours, "default", &["apples of ours"]).await;
    store_text(&app, &theirs, "acme", &["apples of theirs"]).await;
    let found = app.get("/search?q=apples").await.expect(StatusCode::OK);
    assert_eq!(paths(&found), ["/in/a.pdf"], "{found:#}");
    let found = acme.get("/search?q=apples").await.expect(StatusCode::OK);
    assert_eq!(paths(&found), ["/in/b.pdf"], "{found:#}");
    // The name of a tenant is no word, although it is in the index.
    for query in ["acme", "default", "%27acme%27", "-zzz"] {
        let found = app.get(&format!("/search?q={query}")).await;
        let found = found.expect(StatusCode::OK);
        let expected: &[&str] = if query == "-zzz" { &["/in/a.pdf"] } else { &[] };
        assert_eq!(paths(&found), expected, "{query}: {found:#}");
    }
    let text = app.get(&format!("/uploads/{}/text", id(&theirs))).await;
    text.expect_problem(404, "upload-not-found");
    let text = acme.get(&format!("/uploads/{}/text", id(&theirs))).await;
    let text = text.expect(StatusCode::OK);
    assert_eq!(text["text"][0]["text"], "apples of theirs", "{text:#}");
}

#[tokio::test]
async fn search_and_text_stay_in_the_folder_of_the_credential() {
    let app = App::start().await;
    for path in ["/in/a.pdf", "/inbox/b.pdf", "/out/c.pdf"] {
        let upload = app.upload(path, "x", json!({})).await;
        store_text(&app, &upload, "default", &["apples"]).await;
    }
    let scopes = ["uploads:read", "datasets:read"];
    let body = json!({"prefix": "/in/", "scopes": scopes, "expires_in": 60});
    let confined = issue_token(&app, body).await;
    for (query, expected) in [
        ("q=apples", vec!["/in/a.pdf"]),
        ("q=apples&prefix=/", vec!["/in/a.pdf"]),
        ("q=apples&prefix=/in", vec!["/in/a.pdf"]),
        ("q=apples&prefix=/out/", vec![]),
    ] {
        let found = confined.get(&format!("/search?{query}")).await;
        let found = found.expect(StatusCode::OK);
        assert_eq!(paths(&found), expected, "{query}");
    }
    let outside = app.get("/uploads?path=/out/c.pdf").await.json();
    let text = format!("/uploads/{}/text", id(&outside[0]));
    confined
        .get(&text)
        .await
        .expect_problem(404, "upload-not-found");
}

#[tokio::test]
async fn snippet_has_no_brackets_but_those_around_matches() {
    let app = App::start().await;
    let upload = app.upload("/in/a.pdf", "x", json!({})).await;
    let text = "<script>alert(1)</script> \u{27e6}fake\u{27e7} apples & pears";
    store_text(&app, &upload, "default", &[text]).await;
    let found = app.get("/search?q=apples").await.expect(StatusCode::OK);
    let expected = "<script>alert(1)</script> [fake] ⟦apples⟧ & pears";
    assert_eq!(found[0]["snippet"], expected, "{found:#}");
}

/// More pages match than are examined, but all of them are in another folder or of another tenant.
#[tokio::test]
async fn many_matching_pages_elsewhere_do_not_hide_the_one_in_the_folder() {
    let app = App::start().await;
    let (_, key) = app
        .issue_key("acme", &[Scope::UploadsWrite, Scope::DatasetsRead], None)
        .await;
    let acme = Caller::new(app.url.clone(), key);
    let many = app.upload("/out/many.pdf", "x", json!({})).await;
    store_text(&app, &many, "default", &["apples"]).await;
    app.sql()
        .await
        .batch_execute(
            "INSERT INTO document_pages (document_id, page, folders, text)
             SELECT document_id, n, folders, text
             FROM document_pages, generate_series(2, 100001) n",
        )
        .await
        .expect("many pages");
    let one = app.upload("/o'neil\\s/in/a.pdf", "x", json!({})).await;
    store_text(&app, &one, "default", &["apples"]).await;
    let theirs = acme.upload("/out/b.pdf", "y").await;
    store_text(&app, &theirs, "acme", &["apples"]).await;
    let of_one = ["/o'neil\\s/in/a.pdf"];
    for prefix in ["/o%27neil%5Cs/", "/o%27neil%5Cs/in/a"] {
        let found = app.get(&format!("/search?q=apples&prefix={prefix}")).await;
        assert_eq!(paths(&found.expect(StatusCode::OK)), of_one, "{prefix}");
    }
    let body = json!({"prefix": "/o'neil\\s/", "scopes": ["datasets:read"], "expires_in": 60});
    let confined = issue_token(&app, body).await;
    let found = confined.get("/search?q=apples").await;
    assert_eq!(paths(&found.expect(StatusCode::OK)), of_one);
    let found = acme.get("/search?q=apples").await.expect(StatusCode::OK);
    assert_eq!(paths(&found), ["/out/b.pdf"], "{found:#}");
    let found = app.get("/search?q=apples&limit=100").await;
    let found = found.expect(StatusCode::OK);
    assert_eq!(paths(&found), ["/out/many.pdf"; 100], "{found:#}");
}

#[tokio::test]
async fn documents_of_two_tenants_at_the_same_path_stay_apart_from_the_upload_to_the_search() {
    let scene = Scene::new().await;
    let acme = scene.other_tenant("acme").await;
    let worker = scene.worker().spawn();
    let ours = scene.upload_to("/in/a.pdf", "one-page").await;
    let theirs = acme
        .upload("/in/a.pdf", super::scene::pdf("pages-12").await)
        .await;
    scene.wait_for_status(&ours, "Processed").await;
    scene.wait_for_status_of(&acme, &theirs, "Processed").await;
    let in_a = |page| vec![("/in/a.pdf".to_owned(), page)];
    for (query, of_ours, of_theirs) in [
        ("q=quarterly", in_a(1), vec![]),
        ("q=number7", vec![], in_a(7)),
        ("q=number7+or+quarterly&prefix=/in/", in_a(1), in_a(7)),
    ] {
        assert_eq!(scene.found(query).await, of_ours, "{query}");
        assert_eq!(found_by(&acme, query).await, of_theirs, "{query}");
    }
    let text = |upload: &Value| format!("/uploads/{}/text", id(upload));
    for (caller, own, pages, foreign) in [
        (&scene.caller, &ours, 1, &theirs),
        (&acme, &theirs, 12, &ours),
    ] {
        let read = caller.get(&text(own)).await.expect(StatusCode::OK);
        assert_eq!(read["pages"], pages, "{read:#}");
        let refused = caller.get(&text(foreign)).await;
        refused.expect_problem(404, "upload-not-found");
    }
    worker.stop("TERM").await.ok();
}
