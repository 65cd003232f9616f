//! Postgres: unavailable, read-only, with older or newer migrations than this binary.

use super::scene::{Report, doctor};
use crate::postgres_tls::Secured;
use crate::support::database::{self, Database, connect};
use crate::support::gate::Gate;
use crate::support::serving::Place;

#[tokio::test]
async fn unreachable_postgres_fails_and_dependent_checks_are_unknown() {
    let place = Place::new().await;
    let gate = Gate::new(database::address());
    gate.close().await;
    let run = doctor(&place).set("DATABASE_URL", place.database.url_through(gate.addr()));
    let report = Report::of(run).await;
    report
        .code(1)
        .says("postgres", "failed", "")
        .advises("postgres", "DATABASE_URL")
        .says("postgres-tls", "unknown", "does not respond")
        .says("migrations", "unknown", "does not respond")
        .says("bucket", "ok", "")
        .says("signatures", "ok", "");
}

#[tokio::test]
async fn hanging_postgres_fails_after_timeout() {
    let place = Place::new().await;
    let gate = Gate::new(database::address());
    gate.block();
    let run = doctor(&place)
        .set("DATABASE_URL", place.database.url_through(gate.addr()))
        .set("BROKER_DB_CONNECT_TIMEOUT_SECONDS", "0.5");
    let report = Report::of(run).await;
    report
        .code(1)
        .says("postgres", "failed", "does not respond within 500ms")
        .says("signatures", "ok", "");
}

#[tokio::test]
async fn read_only_postgres_fails() {
    let place = Place::new().await;
    let client = connect(place.database.url()).await;
    let name = place.database.name();
    let sql = format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on");
    client.batch_execute(&sql).await.expect("a setting");
    let report = Report::of(doctor(&place)).await;
    report
        .code(1)
        .says("postgres", "failed", "")
        .advises("postgres", "not a standby");
}

/// No migration is applied, and the doctor applies none.
#[tokio::test]
async fn unapplied_migrations_are_a_warning_or_failure_and_stay_unapplied() {
    let place = Place {
        database: Database::empty(),
        ..Place::new().await
    };
    let report = Report::of(doctor(&place)).await;
    report
        .code(0)
        .says("migrations", "warning", "are not applied: 2026")
        .advises("migrations", "`serve` also does it");
    let report = Report::of(doctor(&place).set("BROKER_MIGRATE", "false")).await;
    report
        .code(1)
        .says("migrations", "failed", "are not applied")
        .advises("migrations", "upload-broker migrate");
    let client = connect(place.database.url()).await;
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    let row = client.query_one(tables, &[]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn missing_migration_is_named() {
    let place = Place::new().await;
    let client = connect(place.database.url()).await;
    let last = "DELETE FROM __diesel_schema_migrations WHERE version = \
                (SELECT max(version) FROM __diesel_schema_migrations) RETURNING version";
    let row = client.query_one(last, &[]).await.expect("a version");
    let report = Report::of(doctor(&place).set("BROKER_MIGRATE", "false")).await;
    report.says("migrations", "failed", "1 migrations are not applied");
    let version: String = row.get(0);
    let digits: String = report
        .ended
        .out
        .lines()
        .find(|line| line.contains("\"migrations\""))
        .expect("a line")
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    assert!(digits.contains(&version), "{digits} names {version}");
}

#[tokio::test]
async fn newer_migration_is_a_warning() {
    let place = Place::new().await;
    let client = connect(place.database.url()).await;
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')";
    client.batch_execute(newer).await.expect("a row");
    let report = Report::of(doctor(&place)).await;
    report
        .code(0)
        .says("migrations", "warning", "29990101000000");
}

#[tokio::test]
async fn postgres_tls_check_reports_encryption_and_verification() {
    let place = Place::new().await;
    let secured = Secured::new();
    for (host, parameters, state, why) in [
        (
            "localhost",
            "sslmode=verify-full&sslrootcert=DIR/ca.pem",
            "ok",
            "the certificate is verified",
        ),
        ("127.0.0.1", "sslmode=require", "warning", "is not verified"),
        ("127.0.0.1", "sslmode=disable", "ok", "does not leave"),
    ] {
        let run = doctor(&place).set("DATABASE_URL", secured.url(host, parameters));
        Report::of(run).await.says("postgres-tls", state, why);
    }
}
