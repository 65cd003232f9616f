//! `upload-broker serve` as a process of its own: how it starts, refuses to start, signs, logs and
//! stops.

mod crashes;
mod endpoints;
mod faults;
pub mod log_scan;
pub mod logs;
mod rolling;
mod stopping;

use reqwest::StatusCode;

use crate::support::database::Database;
use crate::support::serving::Place;

/// `serve` migrates at its start, and then a dataset goes all the way.
#[tokio::test]
async fn it_migrates_and_serves() {
    let place = Place {
        database: Database::empty(),
        ..Place::new().await
    };
    let mut process = place.serve().spawn();
    process.says("applied migration").await;
    process.ready().await;
    process.stop("TERM").await.ok();

    let (process, caller) = place.start(place.serve()).await;
    assert!(!process.log().contains("applied"), "{}", process.log());
    let done = caller.upload("/data/a.csv", "id\n1\n").await;
    assert_eq!(done["status"], "Uploaded", "{done:#}");
    let list = caller.get("/datasets").await.expect(StatusCode::OK);
    assert_eq!(list[0]["path"], "/data/a.csv", "{list:#}");
    let ready = caller.get("/readyz").await.expect(StatusCode::OK);
    assert_eq!(ready["checks"]["s3"], "ok", "{ready:#}");
    process.stop("TERM").await.ok();
}

/// `BROKER_AUTH=off` on loopback: whoever comes may do everything, and the log says so.
#[tokio::test]
async fn without_authentication_it_is_loud() {
    let place = Place::new().await;
    let (process, mut caller) = place.start(place.serve().set("BROKER_AUTH", "off")).await;
    let warnings = process.log();
    let warning = warnings
        .lines()
        .find(|line| line.contains("BROKER_AUTH=off"));
    assert!(
        warning.is_some_and(|line| line.contains("WARN")),
        "{warnings}"
    );
    caller.key = "not a key".into();
    caller.upload("/data/a.csv", "x").await;
    let list = reqwest::get(format!("{}/datasets", caller.url)).await;
    assert_eq!(list.expect("an answer").status(), StatusCode::OK);
}

/// A name that looks like a setting and is none is told, with the one that was meant.
#[tokio::test]
async fn a_misspelt_setting_is_told() {
    let place = Place::new().await;
    let mut process = place.serve().set("BROKER_URL_SECOND", "60").spawn();
    process.ready().await;
    let log = process.log();
    let meant = "BROKER_URL_SECOND is not a setting; did you mean BROKER_URL_SECONDS?";
    assert!(log.contains(meant), "{log}");
}
