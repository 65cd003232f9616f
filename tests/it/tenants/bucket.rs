//! A tenant with its own bucket: all of its objects are in that bucket, and no others.

use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::usecases::maintenance::arrived::{Arrived, arrived};
use upload_broker::usecases::tenants::{self, Changes, Place};

use super::scene::{Scene, connect};
use crate::janitor::{clear_in, sweep_in};
use crate::support::app::{Setup, id};
use crate::support::cloud::Bucket;
use crate::support::observe::eventually;
use crate::support::serving::Place as Install;
use crate::support::shared;

/// The tenant acme and its bucket.
async fn scene() -> (Scene, Bucket) {
    let own = Bucket::new().await;
    let place = Place {
        bucket: Some(own.name.clone()),
        prefix: None,
    };
    let scene = Scene::at(Setup::new(), place, Changes::default()).await;
    (scene, own)
}

async fn paths(scene: &Scene, list: &str) -> Vec<Value> {
    let page = scene.acme.get(list).await.expect(StatusCode::OK);
    let items = page.as_array().expect("a page").iter();
    items.map(|item| item["path"].clone()).collect()
}

#[tokio::test]
async fn dataset_of_tenant_lives_in_the_bucket_of_the_tenant() {
    let (scene, own) = scene().await;
    // The same keys in the common bucket.
    scene.app.bucket.put("acme/a.csv", "another's").await;
    scene.app.bucket.put("acme/b.csv", "another's").await;
    let upload = scene.upload("/a.csv", "bytes", json!({})).await;
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    let s3_url = format!("s3://{}/acme/a.csv", own.name);
    assert_eq!(upload["s3_url"], s3_url, "{upload:#}");
    assert_eq!(own.get("acme/a.csv").await, b"bytes");
    assert_eq!(scene.app.bucket.get("acme/a.csv").await, b"another's");
    assert_eq!(paths(&scene, "/datasets").await, ["/a.csv"]);
    let detail = scene.acme.get("/datasets/a.csv").await;
    assert_eq!(detail.expect(StatusCode::OK)["size"], 5);
    let missing = scene.acme.get("/datasets/b.csv").await;
    missing.expect_problem(404, "dataset-not-found");
    let url = scene
        .acme
        .get("/datasets/a.csv")
        .await
        .expect(StatusCode::OK);
    let url = url["download_url"].clone();
    let got = reqwest::get(url.as_str().expect("a URL")).await;
    assert_eq!(
        got.expect("an answer").text().await.expect("bytes"),
        "bytes"
    );
    scene.delete("/datasets/a.csv").await;
    assert!(own.head("acme/a.csv").await.is_none());
    assert_eq!(scene.app.bucket.get("acme/a.csv").await, b"another's");
}

#[tokio::test]
async fn multipart_uploads_of_tenant_use_the_bucket_of_the_tenant() {
    let (scene, own) = scene().await;
    let more = json!({"multipart": true, "size": 5, "overwrite": true});
    let session = scene.create("/a.csv", more.clone()).await;
    let url = session["multipart"]["parts"][0]["url"]
        .as_str()
        .expect("a URL");
    let put = reqwest::Client::new().put(url).body("bytes").send().await;
    assert_eq!(put.expect("an answer").status(), StatusCode::OK);
    let parts = format!("/uploads/{}/parts", id(&session));
    let parts = scene.acme.get(&parts).await.expect(StatusCode::OK);
    assert_eq!(parts["missing"], json!([]), "{parts:#}");
    let upload = scene.acme.acknowledge(&session).await;
    assert_eq!(upload.expect(StatusCode::OK)["status"], "Uploaded");
    assert_eq!(own.get("acme/a.csv").await, b"bytes");
    let session = scene.create("/a.csv", more).await;
    assert_eq!(own.open_keys().await, ["acme/a.csv"]);
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
    scene.cancel(&session).await;
    assert_eq!(own.open_keys().await, [""; 0]);
}

#[tokio::test]
async fn s3_events_and_janitor_check_the_bucket_of_the_tenant() {
    let (scene, own) = scene().await;
    let announced = scene.create("/announced.csv", json!({})).await;
    scene.acme.put(&announced, "bytes").await.expect_ok();
    let found = {
        let (broker, bucket) = (scene.app.broker.clone(), own.name.clone());
        let look = async move { arrived(&broker, &bucket, "acme/announced.csv").await };
        shared().spawn(look).await.expect("a task").expect("a look")
    };
    assert_eq!(
        found,
        Arrived::Uploaded(id(&announced).parse().expect("an id"))
    );
    // An event of the common bucket, or of an unknown one, is about another object.
    for bucket in [scene.app.bucket.name.clone(), "somebody-elses".to_owned()] {
        let broker = scene.app.broker.clone();
        let look = async move { arrived(&broker, &bucket, "acme/announced.csv").await };
        let found = shared().spawn(look).await.expect("a task");
        assert_eq!(found.expect("a look"), Arrived::ForeignObject);
    }
    let late = scene.create("/late.csv", json!({"expires_in": 60})).await;
    scene.acme.put(&late, "bytes").await.expect_ok();
    scene.app.advance(chrono::TimeDelta::hours(1));
    let round = scene.app.janitor().await;
    assert_eq!(round.uploaded, 1, "{round:?}");
}

#[tokio::test]
async fn sweep_compares_the_bucket_of_the_tenant_separately() {
    let (scene, own) = scene().await;
    scene.upload("/a.csv", "bytes", json!({})).await;
    scene.upload("/b.csv", "bytes", json!({})).await;
    own.remove("acme/a.csv").await;
    own.put("acme/c.csv", "by another program").await;
    let mut findings: Vec<_> = (sweep_in(&scene.app, &own.name).await.iter())
        .map(|finding| format!("{} {}", finding["what"], finding["key"]))
        .collect();
    findings.sort();
    let expected = [
        r#""object-without-row" "acme/c.csv""#,
        r#""row-without-object" "acme/a.csv""#,
    ];
    assert_eq!(findings, expected);
    let common = scene.app.bucket.name.clone();
    assert_eq!(sweep_in(&scene.app, &common).await, Vec::<Value>::new());
}

/// An unknown multipart upload may belong to another program unless it is under the tenant's
/// prefix.
#[tokio::test]
async fn stale_multipart_uploads_are_aborted_only_under_the_prefix_of_the_tenant() {
    let own = Bucket::new().await;
    let place = Place {
        bucket: Some(own.name.clone()),
        prefix: None,
    };
    let setup = Setup::new().set("BROKER_STALE_MULTIPART_SCOPE", "bucket");
    let scene = Scene::at(setup, place, Changes::default()).await;
    own.begin("acme/stale.bin").await;
    own.begin("elsewhere.bin").await;
    scene.app.bucket.begin("acme/common.bin").await;
    scene.app.advance(chrono::TimeDelta::days(30));
    clear_in(&scene.app, &own.name).await;
    assert_eq!(own.open_keys().await, ["elsewhere.bin"]);
    assert_eq!(scene.app.bucket.open_keys().await, ["acme/common.bin"]);
}

#[tokio::test]
async fn overlapping_prefix_or_invalid_bucket_name_is_rejected() {
    let (scene, own) = scene().await;
    let mut connection = connect(&scene.app).await;
    let clock = &scene.app.clock;
    for (bucket, prefix, field) in [
        (None, Some("acme/in/"), "/prefix"),
        (Some("other-bucket"), Some("acme/"), "/prefix"),
        (Some("No-Bucket"), None, "/bucket"),
        (Some("ab"), None, "/bucket"),
        (Some("a..b"), None, "/bucket"),
        (Some("express--x-s3"), None, "/bucket"),
        (Some("-a-b"), None, "/bucket"),
    ] {
        let place = Place {
            bucket: bucket.map(str::to_owned),
            prefix: prefix.map(str::to_owned),
        };
        let changes = Changes::default();
        let made = tenants::create(&mut connection, clock, "globex", place, changes).await;
        let refused = made.expect_err(field);
        assert!(format!("{refused:?}").contains(field), "{refused:?}");
        let none = tenants::show(&mut connection, "globex").await;
        assert!(none.is_err(), "{field}");
    }
    // Two tenants may share a bucket.
    let place = Place {
        bucket: Some(own.name.clone()),
        prefix: None,
    };
    let made = tenants::create(&mut connection, clock, "globex", place, Changes::default()).await;
    assert_eq!(made.expect("a tenant").bucket.as_ref(), Some(&own.name));
    assert_eq!(
        scene.app.broker.all_buckets().await.expect("the buckets"),
        [scene.app.bucket.name.clone(), own.name.clone()]
    );
}

#[tokio::test]
async fn loop_sweeps_the_bucket_of_the_tenant() {
    let own = Bucket::new().await;
    let place = Place {
        bucket: Some(own.name.clone()),
        prefix: None,
    };
    let setup = Setup::new()
        .set("BROKER_SWEEP_PERIOD_SECONDS", 3_600)
        .set("BROKER_SWEEP_PAUSE_MILLISECONDS", 1)
        .set("BROKER_JANITOR_PERIOD_SECONDS", 1);
    let scene = Scene::at(setup, place, Changes::default()).await;
    let upload = scene.upload("/a.csv", "bytes", json!({})).await;
    own.remove("acme/a.csv").await;
    scene.app.advance(chrono::TimeDelta::seconds(3_600));
    let path = format!("/uploads/{}", id(&upload));
    eventually("the sweep misses the object", async || {
        let upload = scene.acme.get(&path).await.expect(StatusCode::OK);
        upload["drift"]["kind"] == "missing"
    })
    .await;
}

#[tokio::test]
async fn commands_create_tenant_with_bucket_and_clean_its_bucket() {
    let (install, own) = (Install::new().await, Bucket::new().await);
    install.run(&["migrate"]).finish().await.ok();
    let create = ["tenants", "create", "acme", "--json", "--bucket", &own.name];
    let made = install.run(&create).finish().await.ok().json();
    assert_eq!(made["bucket"], *own.name, "{made:#}");
    let wrong = ["tenants", "create", "globex", "--bucket", "No_Bucket"];
    let wrong = install.run(&wrong).finish().await;
    wrong.expect_failure(1, &["/bucket", "general purpose bucket"]);
    own.put("acme/stray.csv", "by another program").await;
    own.begin("acme/young.bin").await;
    let ended = install.run(&["janitor", "--json"]).finish().await.ok();
    let summary: Value = serde_json::from_str(ended.err.lines().last().expect("a summary"))
        .unwrap_or_else(|error| panic!("{error}: {ended:#?}"));
    assert_eq!(
        summary["sweep"]["bucket"], *install.bucket.name,
        "{summary:#}"
    );
    let theirs = &summary["tenants_buckets"];
    assert_eq!(theirs["sweep"][0]["bucket"], *own.name, "{summary:#}");
    assert_eq!(theirs["sweep"][0]["objects"], 1, "{summary:#}");
    let stale = &theirs["stale_multipart_uploads"][0];
    assert_eq!(stale["ended"], "through", "{summary:#}");
    let keys: Vec<_> = (ended.out.lines())
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["key"].clone())
        .collect();
    assert_eq!(keys, ["acme/stray.csv"], "{ended:#?}");
}
