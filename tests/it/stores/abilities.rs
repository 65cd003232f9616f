//! The abilities of a store are probed once, by one replica, and stored.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    AUTO, PROBE_FOLDER, changeable_store, is_probe, known_abilities, setup_with_detection,
};
use crate::support::observe::eventually;
use crate::support::process::Run;
use crate::support::rewriting_proxy::{ProxiedRequest, ProxiedResponse, Rewrite, RewritingProxy};
use crate::support::serving::{Caller, Place};

const ALL: [&str; 6] = [
    "checksums",
    "complete_if_none_match",
    "delete_if_match",
    "head_checksums",
    "put_if_match",
    "put_if_none_match",
];

fn serve(place: &Place, store: &RewritingProxy) -> Run {
    let run = place.serve().set("AWS_ENDPOINT_URL_S3", store.endpoint());
    AUTO.into_iter()
        .fold(run, |run, name| run.set(name, "auto"))
}

async fn store_of(caller: &Caller) -> Value {
    caller.get("/readyz").await.json()["store"].clone()
}

async fn known_to(caller: &Caller) -> Value {
    eventually("the store is known", async || {
        let store = store_of(caller).await;
        ALL.iter().all(|name| store[name] != "unknown")
    })
    .await;
    store_of(caller).await
}

/// The number of folders that probes have written to.
fn probe_count(store: &RewritingProxy) -> usize {
    let mut folders: Vec<_> = (store.requests().iter())
        .filter(|asked| asked.method == "PUT" && is_probe(asked))
        .filter_map(|asked| {
            asked
                .target
                .split_once(PROBE_FOLDER)?
                .1
                .split('/')
                .next()
                .map(str::to_owned)
        })
        .collect();
    folders.sort();
    folders.dedup();
    folders.len()
}

#[tokio::test]
async fn abilities_are_probed_once_by_one_replica_and_stored() {
    let store = changeable_store().await;
    let place = Place::new().await;
    let key = place.key().await;
    let (mut one, mut two) = (serve(&place, &store).spawn(), serve(&place, &store).spawn());
    let (first, second) = tokio::join!(one.ready(), two.ready());
    for url in [first, second] {
        let known = known_to(&Caller::new(url, key.clone())).await;
        for name in ALL {
            assert_eq!(known[name], "yes", "{known:#}");
        }
    }
    assert_eq!(probe_count(&store), 1);
    eventually("nothing is left of it", async || {
        place.bucket.keys().await.is_empty() && place.bucket.open_keys().await.is_empty()
    })
    .await;
    one.stop("TERM").await.ok();
    two.stop("TERM").await.ok();

    let (_third, caller) = place.start(serve(&place, &store)).await;
    known_to(&caller).await;
    assert_eq!(
        probe_count(&store),
        1,
        "a later start takes it from Postgres"
    );
}

#[tokio::test]
async fn abilities_given_in_settings_are_not_probed() {
    let store = changeable_store().await;
    let place = Place::new().await;
    let run = place
        .serve()
        .set("AWS_ENDPOINT_URL_S3", store.endpoint())
        .set("BROKER_S3_CONDITIONAL_WRITES", "off")
        .set("BROKER_S3_PUT_IF_MATCH", "unquoted")
        .set("BROKER_S3_CHECKSUMS", "off")
        .set("BROKER_S3_HEAD_CHECKSUMS", "on");
    let (_process, caller) = place.start(run).await;
    let known = store_of(&caller).await;
    let expected = json!({
        "put_if_none_match": "no",
        "put_if_match": "unquoted",
        "complete_if_none_match": "no",
        "delete_if_match": "no",
        "checksums": "no",
        "head_checksums": "yes",
    });
    assert_eq!(known, expected);
    assert_eq!(probe_count(&store), 0);
    let metrics = caller.get("/metrics").await.body;
    let line =
        "upload_broker_store_ability_buckets{ability=\"put_if_match\",support=\"unquoted\"} 1";
    eventually("the metrics show it", async || {
        caller.get("/metrics").await.body.contains(line)
    })
    .await;
    drop(metrics);
}

/// While the abilities are unknown, the broker trusts none of them. The start does not wait for the
/// probe.
#[tokio::test]
async fn store_that_cannot_be_probed_is_not_trusted() {
    let store = changeable_store().await;
    let denied = |asked: &ProxiedRequest| {
        is_probe(asked).then(|| Rewrite::Replace(ProxiedResponse::error(403, "AccessDenied")))
    };
    store.set_rule(denied);
    let app = setup_with_detection().s3(store.endpoint()).start().await;
    eventually("the try-out has ended", async || {
        store.count(|asked| asked.method == "PUT" && is_probe(asked)) > 9
    })
    .await;
    app.bucket.put("there.csv", "another program's").await;
    let refused = app.post("/uploads", json!({"path": "there.csv"})).await;
    refused.expect_problem(409, "dataset-exists");

    let sha256 = "J3CJ2RwL308uaGK6fkoHYFEZQx9dE/cm3TUrBvGyBqk=";
    let declared = json!({"size": 5, "checksum": {"algorithm": "SHA256", "value": sha256}});
    let session = app.create("a.csv", declared).await;
    assert_eq!(
        session["upload"]["headers"]["if-none-match"], "*",
        "{session:#}"
    );
    app.put(&session, "bytes").await.expect_ok();
    let proven = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(proven["verification"]["level"], "size", "{proven:#}");

    let etag = &proven["object"]["etag"];
    let body = json!({"path": "a.csv", "if_match": etag});
    let reply = app.post("/uploads", body).await;
    reply.expect_problem(503, "service-unavailable");
    let ready = app.get("/readyz").await.expect(StatusCode::OK);
    assert_eq!(ready["status"], "ready", "{ready:#}");
    assert_eq!(ready["store"]["put_if_match"], "unknown", "{ready:#}");
}

#[tokio::test]
async fn each_missing_ability_is_detected_separately() {
    let lying = |answer: &mut ProxiedResponse| {
        let result = "<CompleteMultipartUploadResult><ETag>\"a\"</ETag>\
                      </CompleteMultipartUploadResult>";
        *answer = ProxiedResponse {
            headers: answer.headers.clone(),
            ..ProxiedResponse::xml(200, result)
        };
    };
    for (ability, support, method, words) in [
        ("put_if_none_match", "no", "PUT", "/once"),
        ("put_if_match", "no", "PUT", "/version"),
        ("complete_if_none_match", "no", "POST", "/taken?uploadId"),
        ("delete_if_match", "no", "DELETE", "/removed"),
    ] {
        let store = changeable_store().await;
        store.set_rule(move |asked| {
            (is_probe(asked) && asked.is(method, words)).then_some(Rewrite::Modify(lying))
        });
        let app = setup_with_detection().s3(store.endpoint()).start().await;
        let known = known_abilities(&app).await;
        for name in ALL {
            let expected = if name == ability { support } else { "yes" };
            assert_eq!(known[name], expected, "{ability}: {known:#}");
        }
    }
}

/// Ceph's gateway compares the header with the bare hash.
#[tokio::test]
async fn etags_are_sent_without_quotes_to_a_store_that_requires_it() {
    let store = changeable_store().await;
    store.set_rule(|asked| {
        let etag = asked.headers.get("if-match")?;
        let is_put = asked.method == "PUT";
        (is_put && etag.as_bytes().starts_with(b"\""))
            .then(|| Rewrite::Replace(ProxiedResponse::error(412, "PreconditionFailed")))
    });
    let app = setup_with_detection().s3(store.endpoint()).start().await;
    assert_eq!(known_abilities(&app).await["put_if_match"], "unquoted");
    let first = app.upload("a.csv", "one", json!({})).await;
    let etag = first["object"]["etag"].as_str().expect("an ETag");
    let second = app.create("a.csv", json!({"if_match": etag})).await;
    let sent = &second["upload"]["headers"]["if-match"];
    assert_eq!(sent, etag.trim_matches('"'), "{second:#}");
    app.put(&second, "two").await.expect_ok();
    app.acknowledge(&second).await.expect(StatusCode::OK);
    assert_eq!(app.read(&first).await["status"], "Superseded");
}
