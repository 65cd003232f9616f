//! What `serve` reports when it cannot start. Nothing runs in that case.

use crate::support::database::Database;
use crate::support::process::{Run, free_port};
use crate::support::serving::Place;

/// `EX_CONFIG` of `sysexits.h`: the configuration is wrong.
const BAD_CONFIG: i32 = 78;

#[tokio::test]
async fn all_errors_in_the_settings_are_listed_at_once() {
    let ended = Run::new(&["serve"])
        .set("DATABASE_URL", "mysql://user:hunter2@localhost/db")
        .set("BROKER_BIND", "everywhere")
        .set("BROKER_URL_SECONDS", "-1")
        .set("BROKER_S3_PUBLIC_ENDPOINT", "not a url")
        .set(
            "BROKER_SNS_TOPIC_ARN",
            "arn:aws:sqs:us-east-1:000000000000:queue",
        )
        .set("BROKER_LOG_FORMAT", "xml")
        .set("BROKER_CORS_ORIGINS", "*")
        .finish()
        .await
        .expect_failure(
            BAD_CONFIG,
            &[
                "DATABASE_URL",
                "BROKER_BIND=\"everywhere\"",
                "BROKER_URL_SECONDS=\"-1\"",
                "BROKER_S3_BUCKET: ",
                "BROKER_S3_PUBLIC_ENDPOINT=",
                "BROKER_SNS_TOPIC_ARN=",
                "BROKER_LOG_FORMAT=\"xml\"",
                "BROKER_CORS_ORIGINS=\"*\"",
            ],
        );
    assert!(!ended.err.contains("hunter2"), "{ended:#?}");
    assert_eq!(ended.out, "", "{ended:#?}");
}

/// With any error in the settings the database stays unchanged.
#[tokio::test]
async fn error_in_the_settings_prevents_migration_and_start() {
    let place = Place {
        database: Database::empty(),
        ..Place::new().await
    };
    let run = place.serve().set("BROKER_LOG_FORMAT", "xml");
    let ended = run
        .finish()
        .await
        .expect_failure(BAD_CONFIG, &["BROKER_LOG_FORMAT"]);
    assert!(!ended.err.contains("listening"), "{ended:#?}");
    let client = crate::support::database::connect(place.database.url()).await;
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    let row = client.query_one(tables, &[]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0, "migrated in spite of a fault");
}

#[tokio::test]
async fn authentication_can_be_off_on_loopback_only() {
    let place = Place::new().await;
    for bind in ["0.0.0.0:0", "[::]:0"] {
        let run = place.serve().set("BROKER_AUTH", "off");
        let ended = run.set("BROKER_BIND", bind).finish().await;
        ended.expect_failure(BAD_CONFIG, &["BROKER_AUTH", "loopback", bind]);
    }
}

#[tokio::test]
async fn unreachable_postgres_is_reported_without_the_password() {
    let place = Place::new().await;
    let nowhere = format!("postgres://user:hunter2@127.0.0.1:{}/broker", free_port());
    let ended = place.serve().set("DATABASE_URL", nowhere).finish().await;
    let ended = ended.expect_failure(1, &["The broker cannot start", "Postgres", "refused"]);
    assert!(!ended.err.contains("hunter2"), "{ended:#?}");
}

#[tokio::test]
async fn port_in_use_is_reported_with_its_setting() {
    let place = Place::new().await;
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let bind = taken.local_addr().expect("its address").to_string();
    for variable in ["BROKER_BIND", "BROKER_METRICS_BIND"] {
        let ended = place.serve().set(variable, &bind).finish().await;
        let ended = ended.expect_failure(1, &[&bind, variable, "in use"]);
        assert!(!ended.err.contains("listening"), "{ended:#?}");
    }
}

#[tokio::test]
async fn missing_region_is_reported() {
    let place = Place::new().await;
    let ended = place.serve().unset("AWS_REGION").finish().await;
    ended.expect_failure(1, &["The broker cannot start", "region"]);
}

/// With JSON logs, a fatal error is a line of JSON.
#[tokio::test]
async fn fatal_error_is_logged_as_json() {
    let place = Place::new().await;
    let nowhere = format!("postgres://127.0.0.1:{}/broker", free_port());
    let run = place.serve().set("DATABASE_URL", nowhere);
    let ended = run.set("BROKER_LOG_FORMAT", "json").finish().await;
    let ended = ended.expect_failure(1, &["The broker cannot start"]);
    for line in ended.err.lines() {
        let parsed: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(parsed["message"].is_string(), "{line}");
    }
}
