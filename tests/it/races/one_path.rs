//! Several uploads of one path: at most one is current, and its bytes are the object.

use diesel_async::AsyncConnection as _;
use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::notified_types::NotifiedTypes;
use upload_broker::domain::object::ProvenObject;
use upload_broker::domain::proof::ProofLevel;
use upload_broker::domain::upload::{Verification, Verifier};
use upload_broker::store::pool;
use upload_broker::store::uploads::{self, OnLocked, ProvenUpload};

use super::SeededRng;
use crate::support::app::{App, id};

const PATH: &str = "/data/contested.csv";
const KEY: &str = "data/contested.csv";

/// The one upload that is current at the path. The object there must be its own.
async fn current(app: &App) -> Value {
    let list = app.get("/uploads?path=/data/contested.csv&status=Uploaded&status=Processed");
    let list = list.await.expect(StatusCode::OK);
    let list = list.as_array().expect("an array");
    assert_eq!(list.len(), 1, "exactly one is current: {list:#?}");
    let head = app.bucket.head(KEY).await.expect("an object");
    let metadata = head.metadata().expect("metadata");
    assert_eq!(metadata["upload-id"], id(&list[0]), "{list:#?}");
    assert_eq!(list[0]["object"]["etag"].as_str(), head.e_tag());
    list[0].clone()
}

#[tokio::test]
async fn first_object_wins_between_two_create_only_uploads() {
    let app = App::start().await;
    let (one, two) = (
        app.create(PATH, json!({})).await,
        app.create(PATH, json!({})).await,
    );
    let (first, second) = tokio::join!(app.put(&one, "one"), app.put(&two, "two"));
    let statuses = [first.status.as_u16(), second.status.as_u16()];
    assert!(
        statuses == [200, 412] || statuses == [412, 200],
        "{statuses:?}"
    );
    let (winner, loser) = if statuses[0] == 200 {
        (&one, &two)
    } else {
        (&two, &one)
    };

    let (won, lost) = tokio::join!(app.acknowledge(winner), app.acknowledge(loser));
    won.expect(StatusCode::OK);
    lost.expect_problem(409, "dataset-exists");
    assert_eq!(current(&app).await["id"], winner["id"]);
    assert_eq!(app.read(loser).await["status"], "Error");
    assert_eq!(app.event_types(loser).await, ["upload.failed"]);

    // The losing row can be deleted; the winner's object stays.
    let reply = app.delete(&format!("/uploads/{}", id(loser))).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(current(&app).await["id"], winner["id"]);
}

#[tokio::test]
async fn current_upload_is_the_one_whose_bytes_are_at_the_path() {
    let app = App::start().await;
    for round in 0..10 {
        let overwrite = json!({"overwrite": true});
        let one = app.create(PATH, overwrite.clone()).await;
        let two = app.create(PATH, overwrite).await;
        let (first, second) = tokio::join!(app.put(&one, "one"), app.put(&two, "two"));
        assert!(
            first.status == 200 && second.status == 200,
            "{first:?} {second:?}"
        );
        let standing = app.bucket.get(KEY).await;
        let (winner, loser) = if standing == b"one" {
            (&one, &two)
        } else {
            (&two, &one)
        };

        let (won, lost) = tokio::join!(app.acknowledge(winner), app.acknowledge(loser));
        won.expect(StatusCode::OK);
        lost.expect_problem(409, "object-missing");
        assert_eq!(current(&app).await["id"], winner["id"], "round {round}");
        assert_eq!(app.read(loser).await["status"], "Pending", "round {round}");
    }
}

#[tokio::test]
async fn one_of_twenty_concurrent_overwriting_uploads_is_current() {
    let app = App::start().await;
    let mut sessions = Vec::new();
    for _ in 0..20 {
        let session = app.create(PATH, json!({"overwrite": true})).await;
        sessions.push(session);
    }
    // Each client sends and acknowledges as fast as it can. Some bytes are replaced a moment after
    // they were proven, and such a proof must not be accepted when it comes late.
    let mut rng = SeededRng(5);
    let answers = join_all(sessions.iter().map(|session| {
        let turns = rng.below(30);
        let app = &app;
        async move {
            SeededRng::yield_times(turns).await;
            app.put(session, id(session)).await.expect_ok();
            loop {
                let answer = app.acknowledge(session).await;
                if answer.status != 503 {
                    return answer;
                }
            }
        }
    }))
    .await;

    let current = current(&app).await;
    let mut superseded = 0;
    for (session, answer) in sessions.iter().zip(answers) {
        let types = app.event_types(session).await;
        let now = app.read(session).await;
        match now["status"].as_str().expect("a status") {
            "Uploaded" => assert_eq!(now["id"], current["id"], "{now:#}"),
            "Superseded" => {
                superseded += 1;
                assert_eq!(types, ["dataset.uploaded", "dataset.superseded"]);
            }
            "Pending" => {
                assert!(types.is_empty(), "{types:?}");
                answer.expect_problem(409, "object-missing");
            }
            other => panic!("{other}: {now:#}"),
        }
    }
    let transitions = app.metric(r#"upload_transitions_total{to="Superseded"}"#);
    assert_eq!(
        transitions.await,
        f64::from(superseded),
        "superseded are counted"
    );
}

/// Requests alone cannot force this order: a newer proof is committed after an older one has read
/// the state of the path and before the older one's transition.
#[tokio::test]
async fn late_proof_does_not_supersede_a_newer_one() {
    let app = App::start().await;
    app.upload(PATH, "one", json!({})).await;
    let overwrite = json!({"overwrite": true});
    let late = app.create(PATH, overwrite.clone()).await;
    let mut connection = pool::connect(app.database.url()).await.expect("Postgres");
    let (at, id) = (app.clock.now(), id(&late).parse().expect("an id"));
    let row = uploads::find_by_id(&mut connection, "default", id).await;
    let row = row.expect("Postgres").expect("a row");
    let before = uploads::read_path_state(&mut connection, &row).await;
    let version = before.expect("a version").version;
    let newer = app.upload(PATH, "two", overwrite).await;

    let object = ProvenObject {
        size: 3,
        etag: "\"late\"".into(),
        version_id: None,
        content_type: None,
        checksum: None,
        last_modified: at,
    };
    let verification = Verification {
        level: ProofLevel::Existence,
        by: Verifier::Acknowledge,
        at,
    };
    let proven = ProvenUpload {
        traceparent: None,
        declared: row.declared.clone(),
        upload: row,
        version,
        name: None,
        comments: None,
        metadata: None,
        object,
        verification,
    };
    let done = connection
        .transaction(async |connection| {
            let notified = NotifiedTypes::named(&[]);
            uploads::acknowledge(connection, &[proven], OnLocked::Skip, &notified).await
        })
        .await;
    let done = done.expect("Postgres");
    assert!(done.done.is_empty() && done.locked.is_empty(), "{done:#?}");
    assert_eq!(current(&app).await["id"], newer["id"]);
    assert_eq!(app.read(&late).await["status"], "Pending");
}
