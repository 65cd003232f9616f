//! The uploads and bytes of an upload token are counted exactly, also for concurrent requests.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::tokens::{create, issue_token, request_token};
use crate::support::app::{App, Setup, id};
use crate::support::reply::Reply;
use crate::support::serving::Caller;

/// Counts the answers by status.
fn tally(statuses: impl IntoIterator<Item = u16>) -> BTreeMap<u16, usize> {
    let mut tally = BTreeMap::new();
    for status in statuses {
        *tally.entry(status).or_default() += 1;
    }
    tally
}

async fn batch(caller: &Caller, paths: &[String], key: Option<&str>) -> Value {
    let entries: Vec<_> = paths
        .iter()
        .map(|path| json!({"path": path, "size": 1}))
        .collect();
    let mut request = caller.request(Method::POST, "/uploads/batch");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let reply = Reply::of(request.json(&json!({"uploads": entries}))).await;
    reply.expect(StatusCode::OK)["results"].clone()
}

fn statuses(results: &Value) -> Vec<u16> {
    let results = results.as_array().expect("results").iter();
    results
        .map(|one| u16::try_from(one["status"].as_u64().expect("a status")).expect("one"))
        .collect()
}

fn paths(start: &str, count: usize) -> Vec<String> {
    (0..count).map(|at| format!("/{start}-{at}")).collect()
}

async fn uploads(app: &App) -> i64 {
    let sql = app.sql().await;
    let count = sql.query_one("SELECT count(*) FROM uploads", &[]).await;
    count.expect("a count").get(0)
}

#[tokio::test]
async fn hundred_concurrent_creates_make_exactly_max_uploads() {
    let app = App::start().await;
    let page = issue_token(&app, json!({"max_uploads": 10})).await;
    let all = paths("a", 100);
    let replies = join_all(all.iter().map(|path| create(&page, json!({"path": path})))).await;
    let tally = tally(replies.iter().map(|reply| reply.status.as_u16()));
    assert_eq!(tally, BTreeMap::from([(201, 10), (403, 90)]));
    let refused = replies
        .into_iter()
        .find(|reply| reply.status == StatusCode::FORBIDDEN);
    refused.expect("one").expect_problem(403, "token-spent");
    assert_eq!(uploads(&app).await, 10);
}

#[tokio::test]
async fn max_bytes_is_counted_across_replicas_and_kinds_of_create() {
    let app = App::start().await;
    let other = Setup::new()
        .set("DATABASE_URL", app.database.url())
        .start()
        .await;
    let page = issue_token(&app, json!({"max_bytes": 50})).await;
    let there = Caller::new(other.url.clone(), page.key.clone());
    // A token with a byte limit requires a declared size.
    let problem = create(&page, json!({"path": "/open"})).await;
    let problem = problem.expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/size", "{problem:#}");
    let all = paths("b", 60);
    let each = all.iter().enumerate().map(|(at, path)| {
        let caller = if at % 2 == 0 { &page } else { &there };
        let mut request = caller.request(Method::POST, "/uploads");
        if at % 3 == 0 {
            request = request.header("idempotency-key", format!("key-{at}"));
        }
        Reply::of(request.json(&json!({"path": path, "size": 1})))
    });
    let many = paths("c", 20);
    let (replies, results) = tokio::join!(join_all(each), batch(&there, &many, None));
    let made = replies.iter().map(|reply| reply.status.as_u16());
    let tally = tally(made.chain(statuses(&results)));
    assert_eq!(tally, BTreeMap::from([(201, 50), (403, 30)]));
    assert_eq!(uploads(&app).await, 50);
}

#[tokio::test]
async fn retried_create_counts_once_and_refused_create_counts_nothing() {
    let app = App::start().await;
    app.upload("/taken", "x", json!({})).await;
    let page = issue_token(&app, json!({"max_uploads": 5})).await;
    let repeat = || {
        let request = page.request(Method::POST, "/uploads");
        Reply::of(
            request
                .header("idempotency-key", "one")
                .json(&json!({"path": "/one"})),
        )
    };
    let replies = join_all((0..20).map(|_| repeat())).await;
    let tallied = tally(replies.iter().map(|reply| reply.status.as_u16()));
    assert_eq!(tallied, BTreeMap::from([(200, 19), (201, 1)]));
    for body in [
        json!({"path": "/taken"}),
        json!({"path": "/../x"}),
        json!({"path": "/y", "size": -1}),
    ] {
        let reply = create(&page, body).await;
        assert!(matches!(reply.status.as_u16(), 409 | 422), "{reply:#?}");
    }
    // Four uploads are left. Entries that are refused for another reason do not use them up.
    let mut entries = vec!["/taken".to_owned(); 3];
    entries.extend(paths("d", 5));
    let results = batch(&page, &entries, Some("many")).await;
    assert_eq!(
        statuses(&results),
        [409, 409, 409, 201, 201, 201, 201, 403],
        "{results:#}"
    );
    let results = batch(&page, &entries, Some("many")).await;
    assert_eq!(
        statuses(&results),
        [403, 403, 403, 200, 200, 200, 200, 403],
        "{results:#}"
    );
    create(&page, json!({"path": "/more"}))
        .await
        .expect_problem(403, "token-spent");
    // A retry of the first create still succeeds.
    repeat().await.expect(StatusCode::OK);
}

#[tokio::test]
async fn cancelled_upload_is_not_credited_and_spent_token_opens_no_multipart() {
    let app = App::start().await;
    let page = issue_token(&app, json!({"max_uploads": 1})).await;
    let session = create(&page, json!({"path": "/a"}))
        .await
        .expect(StatusCode::CREATED);
    let cancel = format!("/uploads/{}/cancel", id(&session));
    page.post_empty(&cancel).await.expect(StatusCode::OK);
    create(&page, json!({"path": "/a"}))
        .await
        .expect_problem(403, "token-spent");
    // A spent token does not begin a multipart upload at S3.
    let large = json!({"path": "/large", "multipart": true, "size": 9});
    create(&page, large)
        .await
        .expect_problem(403, "token-spent");
    assert!(app.bucket.open_keys().await.is_empty());
}

#[tokio::test]
async fn uploads_of_child_token_count_against_parent_and_child() {
    let app = App::start().await;
    let parent = issue_token(&app, json!({"max_uploads": 5, "max_bytes": 100})).await;
    let mut children = Vec::new();
    for body in [
        json!({"max_uploads": 4}),
        json!({"max_uploads": 4}),
        json!({}),
    ] {
        let child = request_token(&app, &parent.key, body)
            .await
            .expect(StatusCode::CREATED);
        let token = child["token"].as_str().expect("a token").to_owned();
        children.push(Caller::new(app.url.clone(), token));
    }
    let all = paths("e", 30);
    let each = all.iter().zip(children.iter().chain([&parent]).cycle());
    let replies = each.map(|(path, caller)| create(caller, json!({"path": path, "size": 1})));
    let tally = tally(
        join_all(replies)
            .await
            .iter()
            .map(|reply| reply.status.as_u16()),
    );
    assert_eq!(tally, BTreeMap::from([(201, 5), (403, 25)]));
    // A child is also limited by its own count.
    let parent = issue_token(&app, json!({"max_uploads": 5})).await;
    let child = request_token(&app, &parent.key, json!({"max_uploads": 1})).await;
    let child = child.expect(StatusCode::CREATED)["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let child = Caller::new(app.url.clone(), child);
    create(&child, json!({"path": "/f-1"}))
        .await
        .expect(StatusCode::CREATED);
    create(&child, json!({"path": "/f-2"}))
        .await
        .expect_problem(403, "token-spent");
    create(&parent, json!({"path": "/f-3"}))
        .await
        .expect(StatusCode::CREATED);
    // The chain cannot grow without end, as each level makes the token longer.
    let mut token = parent.key.clone();
    let deep = loop {
        let reply = request_token(&app, &token, json!({"max_uploads": 1})).await;
        if reply.status != StatusCode::CREATED {
            break reply;
        }
        token = reply.json()["token"].as_str().expect("a token").to_owned();
    };
    deep.expect_problem(403, "token-too-wide");
}

#[tokio::test]
async fn janitor_deletes_counts_of_expired_tokens() {
    let app = App::start().await;
    let page = issue_token(&app, json!({"max_uploads": 2, "expires_in": 60})).await;
    create(&page, json!({"path": "/a"}))
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(app.janitor().await.ended_tokens, 0);
    app.advance(TimeDelta::minutes(61));
    let round = app.janitor().await;
    assert_eq!(round.ended_tokens, 1, "{round:?}");
    let sql = app.sql().await;
    let left = sql.query_one("SELECT count(*) FROM token_uses", &[]).await;
    assert_eq!(left.expect("a count").get::<_, i64>(0), 0);
}
