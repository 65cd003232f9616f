//! `upload-broker serve` as a process: how it starts, refuses to start, signs, logs and stops.

mod crashes;
mod database_login;
mod endpoints;
mod faults;
pub mod log_scan;
pub mod logs;
mod roles;
mod rolling;
mod stopping;

use reqwest::StatusCode;

use crate::support::database::Database;
use crate::support::serving::Place;

/// `serve` migrates when it starts. Then a dataset is uploaded.
#[tokio::test]
async fn serve_applies_migrations_and_then_serves() {
    let place = Place {
        database: Database::empty(),
        ..Place::new().await
    };
    let mut process = place.serve().spawn();
    process.wait_for_log("applied migration").await;
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

/// With `BROKER_AUTH=off` on loopback, every caller may do everything, and the log warns about it.
#[tokio::test]
async fn serve_without_authentication_logs_a_warning() {
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

/// The log names a variable that looks like a setting but is none, and suggests the right one.
#[tokio::test]
async fn misspelt_setting_is_logged_with_a_suggestion() {
    let place = Place::new().await;
    let mut process = place.serve().set("BROKER_URL_SECOND", "60").spawn();
    process.ready().await;
    let log = process.log();
    let meant = "BROKER_URL_SECOND is not a setting; did you mean BROKER_URL_SECONDS?";
    assert!(log.contains(meant), "{log}");
}
