//! Uploads in parts from create to acknowledge, with a known and an unknown size, and how ended
//! ones free their parts.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::{MIN, Scene, bytes, crc64};
use crate::support::app::id;

#[tokio::test]
async fn acknowledge_makes_one_object_of_parts_sent_by_their_urls() {
    let scene = Scene::new().await;
    let whole = bytes(2 * MIN + 7);
    let session = scene.begin("big/whole.bin", whole.len(), json!({})).await;
    assert_eq!(session["upload"], Value::Null, "{session:#}");
    let multipart = &session["multipart"];
    assert_eq!(multipart["part_size"], MIN, "{session:#}");
    assert_eq!(multipart["part_count"], 3, "{session:#}");
    assert_eq!(multipart["next"], Value::Null, "{session:#}");
    let parts = Scene::parts(&session);
    let cut: Vec<_> = (parts.iter())
        .map(|part| {
            (
                part["part_number"].clone(),
                part["offset"].clone(),
                part["size"].clone(),
            )
        })
        .collect();
    let expected = [(1, 0, MIN), (2, MIN, MIN), (3, 2 * MIN, 7)];
    assert_eq!(json!(cut), json!(expected), "{session:#}");

    for part in [&parts[2], &parts[0]] {
        scene.send_of(part, &whole).await;
    }
    let listed = scene.listed(&session).await;
    assert_eq!(listed["missing"], json!([[2, 2]]), "{listed:#}");
    assert_eq!(listed["uploaded"][0]["part_number"], 1, "{listed:#}");
    assert_eq!(listed["uploaded"][1]["size"], 7, "{listed:#}");
    assert_eq!(
        (&listed["part_size"], &listed["part_count"]),
        (&json!(MIN), &json!(3))
    );

    let refused = scene.app.acknowledge(&session).await;
    let problem = refused.expect_problem(409, "parts-missing");
    assert_eq!(problem["missing"], json!([[2, 2]]), "{problem:#}");
    assert_eq!(scene.app.read(&session).await["status"], "Pending");

    scene.send_of(&parts[1], &whole).await;
    let claims = json!({"checksum": crc64(&whole), "comments": "in three parts"});
    let upload = scene
        .acknowledge(&session, claims)
        .await
        .expect(StatusCode::OK);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
    assert_eq!(upload["object"]["checksum"], crc64(&whole), "{upload:#}");
    assert_eq!(upload["object"]["size"], whole.len(), "{upload:#}");
    assert_eq!(upload["comments"], "in three parts", "{upload:#}");
    let again = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(again, upload, "again is the same");
    let path = format!("/uploads/{}/parts", id(&session));
    let problem = scene
        .app
        .get(&path)
        .await
        .expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Uploaded", "{problem:#}");
}

#[tokio::test]
async fn upload_without_size_needs_the_size_at_acknowledge() {
    let scene = Scene::new().await;
    let session = scene
        .app
        .create("pipe.log", json!({"multipart": true}))
        .await;
    let multipart = &session["multipart"];
    assert_eq!(multipart["part_count"], Value::Null, "{session:#}");
    assert_eq!(multipart["parts"], json!([]), "{session:#}");
    let whole = bytes(MIN + 9);
    let (first, last) = whole.split_at(MIN);
    let asked = json!({"parts": [
        {"part_number": 1, "size": first.len()},
        {"part_number": 2, "size": last.len()},
    ]});
    let parts = scene.asked(&session, asked).await;
    scene.send(&parts[0], first).await.expect_ok();
    scene.send(&parts[1], last).await.expect_ok();
    let problem = (scene.app.acknowledge(&session).await).expect_problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["pointer"], "/size", "{problem:#}");
    let lie = scene.acknowledge(&session, json!({"size": MIN})).await;
    let problem = lie.expect_problem(422, "object-mismatch");
    assert_eq!(problem["upload_status"], "Pending", "{problem:#}");
    let claims = json!({"size": whole.len(), "checksum": crc64(&whole)});
    let upload = scene
        .acknowledge(&session, claims)
        .await
        .expect(StatusCode::OK);
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
    assert_eq!(upload["size"], whole.len(), "{upload:#}");
}

#[tokio::test]
async fn cancelled_and_expired_uploads_free_their_parts() {
    let scene =
        Scene::with(crate::support::app::Setup::new().set("BROKER_EXPIRY_GRACE_SECONDS", 0)).await;
    let cancelled = scene.begin("cancelled.bin", MIN + 1, json!({})).await;
    let overdue = scene
        .begin("overdue.bin", MIN + 1, json!({"expires_in": 60}))
        .await;
    for session in [&cancelled, &overdue] {
        let part = &Scene::parts(session)[0];
        scene.send(part, bytes(MIN)).await.expect_ok();
    }
    let path = format!("/uploads/{}/cancel", id(&cancelled));
    scene.app.post_empty(&path).await.expect(StatusCode::OK);
    scene.app.advance(chrono::TimeDelta::seconds(61));
    assert_eq!(scene.app.janitor().await.expired, 1);
    for (session, status) in [(&cancelled, "Cancelled"), (&overdue, "Expired")] {
        assert_eq!(scene.app.read(session).await["status"], status);
        let part = &Scene::parts(session)[0];
        let late = scene.send(part, bytes(MIN)).await;
        assert!(late.body.contains("NoSuchUpload"), "{late:#?}");
    }
}
