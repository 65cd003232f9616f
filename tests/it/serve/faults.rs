//! What `serve` says when it cannot start. Nothing of it runs then.

use crate::support::database::Database;
use crate::support::process::{Run, free_port};
use crate::support::serving::Place;

/// As `sysexits.h` has it: something is wrong with the configuration.
const BAD_CONFIG: i32 = 78;

#[tokio::test]
async fn every_fault_of_the_settings_is_listed_at_once() {
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
        .end()
        .await
        .failed(
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

/// A fault anywhere, and the database stays as it was.
#[tokio::test]
async fn nothing_starts_with_a_fault() {
    let place = Place {
        database: Database::empty(),
        ..Place::new().await
    };
    let run = place.serve().set("BROKER_LOG_FORMAT", "xml");
    let ended = run.end().await.failed(BAD_CONFIG, &["BROKER_LOG_FORMAT"]);
    assert!(!ended.err.contains("listening"), "{ended:#?}");
    let client = crate::support::database::connect(place.database.url()).await;
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    let row = client.query_one(tables, &[]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0, "migrated in spite of a fault");
}

#[tokio::test]
async fn authentication_is_off_on_loopback_only() {
    let place = Place::new().await;
    for bind in ["0.0.0.0:0", "[::]:0"] {
        let run = place.serve().set("BROKER_AUTH", "off");
        let ended = run.set("BROKER_BIND", bind).end().await;
        ended.failed(BAD_CONFIG, &["BROKER_AUTH", "loopback", bind]);
    }
}

#[tokio::test]
async fn without_postgres_it_says_so() {
    let place = Place::new().await;
    let nowhere = format!("postgres://user:hunter2@127.0.0.1:{}/broker", free_port());
    let ended = place.serve().set("DATABASE_URL", nowhere).end().await;
    let ended = ended.failed(1, &["The broker cannot start", "Postgres", "refused"]);
    assert!(!ended.err.contains("hunter2"), "{ended:#?}");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let place = Place::new().await;
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let bind = taken.local_addr().expect("its address").to_string();
    for variable in ["BROKER_BIND", "BROKER_METRICS_BIND"] {
        let ended = place.serve().set(variable, &bind).end().await;
        let ended = ended.failed(1, &[&bind, variable, "in use"]);
        assert!(!ended.err.contains("listening"), "{ended:#?}");
    }
}

#[tokio::test]
async fn without_a_region_it_says_so() {
    let place = Place::new().await;
    let ended = place.serve().unset("AWS_REGION").end().await;
    ended.failed(1, &["The broker cannot start", "region"]);
}

/// A fatal fault in a log of JSON is a line of JSON.
#[tokio::test]
async fn a_fatal_fault_is_a_line_of_the_log() {
    let place = Place::new().await;
    let nowhere = format!("postgres://127.0.0.1:{}/broker", free_port());
    let run = place.serve().set("DATABASE_URL", nowhere);
    let ended = run.set("BROKER_LOG_FORMAT", "json").end().await;
    let ended = ended.failed(1, &["The broker cannot start"]);
    for line in ended.err.lines() {
        let parsed: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(parsed["message"].is_string(), "{line}");
    }
}
