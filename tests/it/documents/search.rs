//! The search of the text of datasets.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::scene::{LONG, Scene};
use crate::support::app::id;
use crate::support::observe::within;
use crate::support::reply::Reply;

#[tokio::test]
async fn pages_are_found_by_words_phrases_and_folders_with_a_snippet() {
    let scene = Scene::new().await;
    let worker = scene.worker().spawn();
    let many = scene.upload_to("/in/many.pdf", "pages-12").await;
    let one = scene.upload_to("/reports/q1.pdf", "one-page").await;
    for upload in [&many, &one] {
        scene.wait_for_status(upload, "Processed").await;
    }
    let expected = |path: &str, page| vec![(path.to_owned(), page)];
    assert_eq!(scene.found("q=number7").await, expected("/in/many.pdf", 7));
    let phrase = scene.found("q=%22quarterly+report%22").await;
    assert_eq!(phrase, expected("/reports/q1.pdf", 1));
    assert!(scene.found("q=%22report+quarterly%22").await.is_empty());
    assert!(scene.found("q=quarterly+-surplus").await.is_empty());
    let either = scene.found("q=number7+or+quarterly").await;
    assert_eq!(either.len(), 2, "{either:?}");
    assert_eq!(scene.found("q=page").await.len(), 12);
    assert_eq!(scene.found("q=page&limit=3").await.len(), 3);
    assert_eq!(scene.found("q=page&prefix=/in/").await.len(), 12);
    assert!(scene.found("q=page&prefix=/reports/").await.is_empty());
    // What is special in patterns and in SQL is not special here.
    for query in [
        "q=page&prefix=/in%25",
        "q=page&prefix=/_n/",
        "q=%27%29+page%3B--zz",
    ] {
        assert!(scene.found(query).await.is_empty(), "{query}");
    }
    let hits = scene.caller.get("/search?q=Quarterly").await;
    let hits = hits.expect(StatusCode::OK);
    assert_eq!(hits[0]["upload_id"], one["id"], "{hits:#}");
    assert!(hits[0]["rank"].as_f64().expect("a rank") > 0.0, "{hits:#}");
    let snippet = "The ⟦quarterly⟧ report shows a surplus of apples.";
    assert_eq!(hits[0]["snippet"], snippet, "{hits:#}");
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn replaced_and_deleted_datasets_are_not_found_and_their_text_is_removed() {
    let scene = Scene::new().await;
    let worker = scene.worker().spawn();
    let first = scene.upload_to("/in/a.pdf", "pages-12").await;
    let deleted = scene.upload_to("/in/b.pdf", "pages-12").await;
    for upload in [&first, &deleted] {
        scene.wait_for_status(upload, "Processed").await;
    }
    assert_eq!(scene.found("q=number5").await.len(), 2);
    let second = scene.replace("/in/a.pdf", "one-page").await;
    // At once, before the new text is there.
    let left = scene.found("q=number5").await;
    assert_eq!(left, [("/in/b.pdf".to_owned(), 5)]);
    let old = scene.text(&first, "").await;
    old.expect_problem(409, "text-missing");
    let path = format!("/uploads/{}", id(&deleted));
    let request = scene.caller.request(Method::DELETE, &path);
    let reply = Reply::of(request).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert!(scene.found("q=number5").await.is_empty());
    let gone = scene.text(&deleted, "").await;
    gone.expect_problem(409, "text-missing");
    scene.wait_for_status(&second, "Processed").await;
    let found = scene.found("q=quarterly").await;
    assert_eq!(found, [("/in/a.pdf".to_owned(), 1)]);
    within(LONG, "the janitor removes old pages", async || {
        scene.stored_pages().await == 1
    })
    .await;
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn upload_is_found_while_it_is_the_current_one() {
    let scene = Scene::new().await;
    let worker = scene.worker().spawn();
    let upload = scene.upload_to("/in/a.pdf", "one-page").await;
    scene.wait_for_status(&upload, "Processed").await;
    let client = crate::support::database::connect(scene.place.database.url()).await;
    let set = async |status: &str| {
        let sql = format!("UPDATE uploads SET status = '{status}'");
        client.batch_execute(&sql).await.expect("a status");
    };
    for (status, found) in [("Uploaded", 1), ("Processing", 1), ("Superseded", 0)] {
        set(status).await;
        assert_eq!(scene.found("q=quarterly").await.len(), found, "{status}");
        let text: Value = scene.text(&upload, "").await.json();
        assert_eq!(text["pages"].is_number(), found == 1, "{status}: {text:#}");
    }
    worker.stop("TERM").await.ok();
}
