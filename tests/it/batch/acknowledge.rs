//! `POST /uploads/batch/acknowledge` verifies many uploads in one request, each with its own
//! outcome.

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;
use uuid::Uuid;

use super::{create_batch, results, statuses};
use crate::support::app::{App, Setup, id};
use crate::support::observe::eventually;
use crate::support::process::TIMEOUT;
use crate::support::reply::Reply;
use crate::support::store::Store;

const PATH: &str = "/uploads/batch/acknowledge";

pub async fn acknowledge(app: &App, entries: &[Value]) -> Reply {
    app.post(PATH, json!({"acknowledge": entries})).await
}

/// Creates sessions at these paths and uploads their bytes.
pub async fn uploaded_sessions(app: &App, paths: impl IntoIterator<Item = String>) -> Vec<Value> {
    let entries: Vec<_> = (paths.into_iter())
        .map(|path| json!({"path": path}))
        .collect();
    let made = results(create_batch(app, &entries).await);
    let sessions: Vec<Value> = made
        .into_iter()
        .map(|made| made["upload"].clone())
        .collect();
    let puts = sessions.iter().map(async |session| {
        app.put(session, "bytes").await.expect_ok();
    });
    join_all(puts).await;
    sessions
}

/// An entry for each session, without expected values.
pub fn entries(sessions: &[Value]) -> Vec<Value> {
    let entry = |session: &Value| json!({"id": session["id"]});
    sessions.iter().map(entry).collect()
}

fn paths(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("/data/{n}.csv"))
}

#[tokio::test]
async fn batch_proves_each_upload_with_one_event_in_few_statements() {
    let store = Store::start().await;
    let app = Setup::new().store(&store).start().await;
    let sessions = uploaded_sessions(&app, paths(100)).await;
    let before = app
        .metric(r#"group_members_count{verb="acknowledge"}"#)
        .await;
    let results = results(acknowledge(&app, &entries(&sessions)).await);
    assert_eq!(statuses(&results), vec![200; 100], "{results:#?}");
    for (result, session) in results.iter().zip(&sessions) {
        let upload = &result["upload"];
        assert_eq!(upload["id"], session["id"], "in the order of the entries");
        assert_eq!(upload["status"], "Uploaded", "{upload:#}");
        assert_eq!(upload["object"]["size"], 5, "{upload:#}");
        assert_eq!(upload["verification"]["by"], "acknowledge", "{upload:#}");
    }
    let written = app
        .metric(r#"group_members_count{verb="acknowledge"}"#)
        .await
        - before;
    assert!(written <= 60.0, "100 proofs took {written} statements");
    for session in [&sessions[0], &sessions[99]] {
        assert_eq!(app.event_types(session).await, ["dataset.uploaded"]);
    }
    let notified = app.inbox.receive_until(100, TIMEOUT).await;
    let mut notified: Vec<_> = (notified.iter())
        .map(|message| message.json()["data"]["upload_id"].clone())
        .collect();
    notified.sort_by_key(Value::to_string);
    let mut expected: Vec<_> = (sessions.iter())
        .map(|session| session["id"].clone())
        .collect();
    expected.sort_by_key(Value::to_string);
    assert_eq!(notified, expected);
}

#[tokio::test]
async fn entry_has_same_result_as_single_acknowledge() {
    let app = App::start().await;
    let sessions = uploaded_sessions(&app, ["/a.csv".into(), "/b.csv".into()]).await;
    let claims = json!({"name": "A", "comments": "c", "metadata": {"k": "v"}, "size": 5,
        "checksum": {"algorithm": "CRC32", "value": "AAAAAA=="}});
    let wrong = json!({"id": sessions[1]["id"], "size": 6});
    let single = app
        .post(
            &format!("/uploads/{}/acknowledge", id(&sessions[1])),
            json!({"size": 6}),
        )
        .await;
    let single = single.expect_problem(422, "object-mismatch");
    assert_eq!(single["upload_id"], sessions[1]["id"], "{single:#}");
    let mut entry = claims.clone();
    entry["id"] = sessions[0]["id"].clone();
    entry.as_object_mut().expect("an object").remove("checksum");
    let results = results(acknowledge(&app, &[entry, wrong]).await);
    assert_eq!(statuses(&results), [200, 409], "{results:#?}");
    let upload = &results[0]["upload"];
    for member in ["name", "comments", "metadata", "size"] {
        assert_eq!(upload[member], claims[member], "{upload:#}");
    }
    // The single acknowledge has put it into Error.
    let problem = &results[1]["problem"];
    assert_eq!(problem["code"], "invalid-status", "{problem:#}");
    assert_eq!(problem["upload_status"], "Error", "{problem:#}");
}

#[tokio::test]
async fn invalid_entries_do_not_affect_other_entries() {
    let app = App::start().await;
    let good = uploaded_sessions(&app, ["/first".into(), "/wrong".into(), "/last".into()]).await;
    let missing = app.create("/missing", json!({})).await;
    let cancelled = app.create("/cancelled", json!({})).await;
    app.post_empty(&format!("/uploads/{}/cancel", id(&cancelled)))
        .await
        .expect(StatusCode::OK);
    let of = |session: &Value, more: Value| {
        let mut entry = more;
        entry["id"] = session["id"].clone();
        entry
    };
    let unknown = Uuid::now_v7();
    let entries = [
        of(&good[0], json!({})),
        of(&good[1], json!({"size": 6})),
        of(&missing, json!({})),
        of(&cancelled, json!({})),
        json!({"id": unknown}),
        json!({"id": "x"}),
        json!({"id": 5}),
        json!({"size": 5}),
        of(&missing, json!({"size": -1})),
        of(&missing, json!({"colour": "red"})),
        json!(7),
        of(&missing, json!({"metadata": {"k": "x".repeat(3000)}})),
        of(&good[2], json!({})),
        of(&good[0], json!({})),
    ];
    let results = results(acknowledge(&app, &entries).await);
    assert_eq!(
        statuses(&results),
        [
            200, 422, 409, 409, 404, 422, 422, 422, 422, 422, 422, 422, 200, 200
        ],
        "{results:#?}"
    );
    for (place, code, pointer) in [
        (1, "object-mismatch", None),
        (2, "object-missing", None),
        (3, "invalid-status", None),
        (4, "upload-not-found", None),
        (5, "invalid-request", Some("/acknowledge/5/id")),
        (6, "invalid-request", Some("/acknowledge/6/id")),
        (7, "invalid-request", Some("/acknowledge/7/id")),
        (8, "invalid-request", Some("/acknowledge/8/size")),
        (9, "invalid-request", Some("/acknowledge/9/colour")),
        (10, "invalid-request", Some("/acknowledge/10")),
        (11, "invalid-request", Some("/acknowledge/11/metadata")),
    ] {
        let problem = &results[place]["problem"];
        assert_eq!(problem["code"], code, "{problem:#}");
        assert_eq!(problem["status"], results[place]["status"], "{problem:#}");
        assert_eq!(problem["instance"], PATH, "{problem:#}");
        assert!(problem["request_id"].is_string(), "{problem:#}");
        let found = problem["errors"][0]["pointer"].as_str();
        assert_eq!(found, pointer, "{problem:#}");
    }
    assert_eq!(
        results[13]["upload"], results[0]["upload"],
        "the same one twice"
    );
    assert_eq!(app.event_types(&good[0]).await, ["dataset.uploaded"]);
    assert_eq!(app.read(&missing).await["status"], "Pending");
    assert_eq!(app.read(&good[1]).await["status"], "Error");
}

#[tokio::test]
async fn batch_is_limited_in_entries() {
    let app = App::start().await;
    let strangers = |count: usize| -> Vec<Value> {
        (0..count).map(|_| json!({"id": Uuid::now_v7()})).collect()
    };
    for count in [0, 1001] {
        let reply = acknowledge(&app, &strangers(count)).await;
        let problem = reply.expect_problem(422, "invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], "/acknowledge",
            "{problem:#}"
        );
    }
    for (body, pointer) in [
        (json!({}), "/acknowledge"),
        (json!({"acknowledge": {}}), "/acknowledge"),
        (json!({"uploads": []}), "/uploads"),
        (json!({"acknowledge": [], "more": 1}), "/more"),
    ] {
        let problem = app
            .post(PATH, body)
            .await
            .expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
    }
    app.post_empty(PATH)
        .await
        .expect_problem(400, "invalid-json");
    let results = results(acknowledge(&app, &strangers(1000)).await);
    assert_eq!(statuses(&results), vec![404; 1000]);
}

#[tokio::test]
async fn uploads_of_other_tenants_and_folders_are_not_found() {
    let app = App::start().await;
    let ours = uploaded_sessions(&app, ["/in/a".into(), "/out/b".into()]).await;
    let (_, reader) = app.issue_key("default", &[Scope::UploadsRead], None).await;
    let (_, other) = app.issue_key("other", &[Scope::UploadsWrite], None).await;
    let token = json!({"prefix": "/in/", "scopes": ["uploads:write"]});
    let token = app.post("/tokens", token).await.expect(StatusCode::CREATED);
    let post = |key: &str| {
        let request = app.http.request(Method::POST, format!("{}{PATH}", app.url));
        let body = json!({"acknowledge": entries(&ours)});
        Reply::of(request.bearer_auth(key).json(&body))
    };
    post(&reader)
        .await
        .expect_problem(403, "insufficient-scope");
    let theirs = results(post(&other).await);
    assert_eq!(statuses(&theirs), [404, 404], "{theirs:#?}");
    let confined = results(post(token["token"].as_str().expect("a token")).await);
    assert_eq!(statuses(&confined), [200, 404], "{confined:#?}");
    assert_eq!(confined[1]["problem"]["code"], "upload-not-found");
    assert_eq!(app.read(&ours[1]).await["status"], "Pending");
}

#[tokio::test]
async fn batch_completes_multipart_uploads_and_reports_missing_parts() {
    let store = Store::start().await;
    let app = Setup::new().store(&store).start().await;
    let whole = json!({"path": "/whole", "size": 5, "multipart": true});
    let gap = json!({"path": "/gap", "size": 5, "multipart": true});
    let made = results(create_batch(&app, &[whole, gap]).await);
    let sessions: Vec<Value> = made.iter().map(|made| made["upload"].clone()).collect();
    let part = sessions[0]["multipart"]["parts"][0]["url"].as_str();
    let part = app.http.put(part.expect("a URL")).body("bytes");
    Reply::of(part).await.expect_ok();
    let results = results(acknowledge(&app, &entries(&sessions)).await);
    assert_eq!(statuses(&results), [200, 409], "{results:#?}");
    assert_eq!(results[0]["upload"]["status"], "Uploaded");
    assert_eq!(results[1]["problem"]["code"], "parts-missing");
    assert_eq!(results[1]["problem"]["missing"], json!([[1, 1]]));
}

#[tokio::test]
async fn audit_has_one_row_for_each_entry() {
    let app = App::start().await;
    let sessions = uploaded_sessions(&app, ["/a".into(), "/b".into()]).await;
    let stranger = Uuid::now_v7();
    let mut all = entries(&sessions);
    all.push(json!({"id": stranger}));
    acknowledge(&app, &all).await.expect(StatusCode::OK);
    let mut rows = Vec::new();
    eventually("the audit is written", async || {
        let reply = app.get("/audit?limit=1000").await.expect(StatusCode::OK);
        rows = reply.as_array().expect("an array").clone();
        let actions = ["upload.acknowledged", "request.refused"];
        rows.retain(|row| actions.iter().any(|action| row["action"] == *action));
        rows.len() >= 3
    })
    .await;
    let mut ids: Vec<_> = rows.iter().map(|row| row["upload_id"].clone()).collect();
    ids.sort_by_key(Value::to_string);
    let mut expected = vec![sessions[0]["id"].clone(), sessions[1]["id"].clone()];
    expected.push(json!(stranger));
    expected.sort_by_key(Value::to_string);
    assert_eq!(ids, expected, "{rows:#?}");
}
