//! SeaweedFS: a store other than AWS that has all abilities of S3.

use reqwest::StatusCode;
use serde_json::json;

use super::{AUTO, known_abilities, setup_with_detection};
use crate::support::app::{App, id};
use crate::support::cloud::Bucket;
use crate::support::real_stores;
use crate::support::serving::Place;

const SHA256: &str = "J3CJ2RwL308uaGK6fkoHYFEZQx9dE/cm3TUrBvGyBqk=";

async fn app() -> App {
    setup_with_detection()
        .at(real_stores::seaweedfs())
        .start()
        .await
}

#[tokio::test]
async fn all_abilities_are_detected_and_used() {
    let app = app().await;
    let known = known_abilities(&app).await;
    for (ability, support) in known.as_object().expect("abilities") {
        assert_eq!(support, "yes", "{ability}: {known:#}");
    }

    let declared = json!({"size": 5, "checksum": {"algorithm": "SHA256", "value": SHA256}});
    let session = app.create("data/a.csv", declared).await;
    let wrong = app.put(&session, "other").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{wrong:#?}");
    app.put(&session, "bytes").await.expect_ok();
    let again = app.put(&session, "bytes").await;
    assert_eq!(again.status, StatusCode::PRECONDITION_FAILED, "{again:#?}");
    let first = app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(first["verification"]["level"], "checksum", "{first:#}");

    let etag = &first["object"]["etag"];
    let (right, late) = tokio::join!(
        app.create("data/a.csv", json!({"if_match": etag})),
        app.create("data/a.csv", json!({"if_match": etag})),
    );
    app.put(&right, "newer").await.expect_ok();
    app.acknowledge(&right).await.expect(StatusCode::OK);
    let refused = app.put(&late, "late").await;
    assert_eq!(
        refused.status,
        StatusCode::PRECONDITION_FAILED,
        "{refused:#?}"
    );

    let list = app
        .get("/datasets?include=upload")
        .await
        .expect(StatusCode::OK);
    assert_eq!(list[0]["path"], "/data/a.csv", "{list:#}");
    assert!(list[0].get("drifted").is_none(), "{list:#}");
    app.delete("/datasets/data/a.csv").await.expect_ok();
    let list = app.get("/datasets").await.expect(StatusCode::OK);
    assert_eq!(list, json!([]));
}

#[tokio::test]
async fn multipart_upload_is_completed_and_replaces_no_object() {
    let app = app().await;
    known_abilities(&app).await;
    for (path, more) in [
        ("plain.bin", json!({})),
        ("crc.bin", json!({"part_checksums": "CRC32"})),
    ] {
        let mut body = json!({"multipart": true, "size": 5});
        let all = body.as_object_mut().expect("an object");
        all.extend(more.as_object().expect("an object").clone());
        let session = app.create(path, body).await;
        send_part(&app, &session, more.get("part_checksums").is_some()).await;
        let proven = app.acknowledge(&session).await.expect(StatusCode::OK);
        assert_eq!(proven["object"]["size"], 5, "{proven:#}");
    }
    let late = app
        .create("late.bin", json!({"multipart": true, "size": 5}))
        .await;
    send_part(&app, &late, false).await;
    app.bucket.put("late.bin", "standing").await;
    let refused = app.acknowledge(&late).await;
    refused.expect_problem(409, "dataset-exists");
    assert_eq!(app.bucket.get("late.bin").await, b"standing");
}

/// Sends `bytes` as the only part of an upload in parts.
async fn send_part(app: &App, session: &serde_json::Value, checked: bool) {
    let path = format!("/uploads/{}/parts", id(session));
    // The CRC-32 of `bytes`.
    let checksum = json!({"algorithm": "CRC32", "value": CRC32});
    let asked = match checked {
        true => json!({"parts": [{"part_number": 1, "checksum": checksum}]}),
        false => json!({"part_numbers": [1]}),
    };
    let parts = app.post(&path, asked).await.expect(StatusCode::OK);
    let part = &parts["parts"][0];
    let mut put = app.http.put(part["url"].as_str().expect("a URL"));
    for (name, value) in part["headers"].as_object().expect("headers") {
        put = put.header(name, value.as_str().expect("a value"));
    }
    let answer = put.body("bytes").send().await.expect("an answer");
    assert!(answer.status().is_success(), "{answer:#?}");
}

const CRC32: &str = "sZlDzg==";

#[tokio::test]
async fn doctor_finds_no_problem_and_leaves_no_objects() {
    let endpoint = format!("http://{}", real_stores::seaweedfs());
    let place = Place {
        bucket: Bucket::at(&endpoint).await,
        ..Place::new().await
    };
    let run = place.run(&["doctor"]).set("AWS_ENDPOINT_URL_S3", &endpoint);
    let run = AUTO
        .into_iter()
        .fold(run, |run, name| run.set(name, "auto"));
    let ended = run.finish().await.ok();
    for check in ["rights", "signatures", "conditional-writes"] {
        let line = format!("ok           {check} ");
        assert!(ended.out.contains(&line), "no {line:?} in {}", ended.out);
    }
    assert_eq!(place.bucket.keys().await, [""; 0], "{}", ended.out);
    assert_eq!(place.bucket.open_keys().await, [""; 0], "{}", ended.out);
}
