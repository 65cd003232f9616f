//! The commands other than `serve` and `dev`, as used by people and by scripts.

mod database_url;
mod keys;
mod tenants;

use std::time::Duration;

use reqwest::StatusCode;

use crate::support::cloud;
use crate::support::database::Database;
use crate::support::observe::eventually;
use crate::support::process::{Run, free_port};
use crate::support::serving::{Caller, Place};

const BAD_CONFIG: i32 = 78;

#[tokio::test]
async fn check_config_shows_settings_without_secrets() {
    let ended = Run::new(&["check-config"])
        .with(&cloud::settings())
        .set("AWS_SECRET_ACCESS_KEY", "hunter3")
        .set(
            "DATABASE_URL",
            "postgres://broker:hunter2@db.example.com/broker?sslmode=require",
        )
        .set("BROKER_S3_BUCKET", "datasets")
        .set("BROKER_S3_BUKCET", "datasets")
        .finish()
        .await
        .ok();
    for secret in ["hunter2", "hunter3"] {
        assert!(!ended.out.contains(secret), "{ended:#?}");
    }
    let line = |name: &str| {
        let mut lines = ended.out.lines();
        let line = lines.find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name} in {ended:#?}"))
            .split_whitespace()
            .collect::<Vec<_>>()
    };
    let database = "postgres://broker:***@db.example.com/broker?sslmode=require";
    assert_eq!(line("DATABASE_URL"), ["DATABASE_URL", "set", database]);
    assert_eq!(
        line("BROKER_S3_BUCKET"),
        ["BROKER_S3_BUCKET", "set", "datasets"]
    );
    assert_eq!(
        line("BROKER_URL_SECONDS"),
        ["BROKER_URL_SECONDS", "default", "900"]
    );
    assert_eq!(line("AWS_SECRET_ACCESS_KEY")[2], "***");
    assert!(
        ended.err.contains("did you mean BROKER_S3_BUCKET?"),
        "{ended:#?}"
    );
}

#[tokio::test]
async fn check_config_lists_every_error() {
    let run = Run::new(&["check-config"]).set("BROKER_BIND", "nowhere");
    let names = [
        "DATABASE_URL",
        "BROKER_S3_BUCKET",
        "BROKER_BIND=\"nowhere\"",
    ];
    run.finish().await.expect_failure(BAD_CONFIG, &names);
}

#[tokio::test]
async fn migrate_reports_applied_migrations_and_failures() {
    let database = Database::empty();
    let migrate = || {
        Run::new(&["migrate"])
            .set("DATABASE_URL", database.url())
            .finish()
    };
    let first = migrate().await.ok();
    assert!(first.out.starts_with("Applied "), "{first:#?}");
    let again = migrate().await.ok();
    assert_eq!(
        again.out, "The database schema is up to date.\n",
        "{again:#?}"
    );

    let nowhere = format!("postgres://127.0.0.1:{}/broker", free_port());
    let failed = Run::new(&["migrate"])
        .set("DATABASE_URL", nowhere)
        .finish()
        .await;
    failed.expect_failure(
        1,
        &[
            "The database schema is not up to date",
            "Postgres",
            "refused",
        ],
    );
    Run::new(&["migrate"])
        .finish()
        .await
        .expect_failure(BAD_CONFIG, &["DATABASE_URL"]);
}

/// With `BROKER_MIGRATE=false`, `serve` does not touch the schema; `migrate` does that.
#[tokio::test]
async fn serve_does_not_migrate_when_migrate_is_false() {
    let place = Place {
        database: Database::empty(),
        ..Place::new().await
    };
    let mut process = place.serve().set("BROKER_MIGRATE", "false").spawn();
    process.ready().await;
    let client = crate::support::database::connect(place.database.url()).await;
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    let row = client.query_one(tables, &[]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0);
}

/// Without the tables, each round of each loop would fail and be logged.
#[tokio::test]
async fn broker_without_schema_says_so_once_and_works_after_migrate() {
    let place = Place {
        database: Database::empty(),
        ..Place::new().await
    };
    let run = place.serve().set("BROKER_MIGRATE", "false");
    let mut process = run.set("BROKER_JANITOR_PERIOD_SECONDS", 1).spawn();
    let url = process.ready().await;
    process
        .wait_for_log("waiting for `upload-broker migrate`")
        .await;
    // Longer than the period of the janitor, and than the first back-offs of the others.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let log = process.log();
    assert_eq!(log.matches("upload-broker migrate").count(), 1, "{log}");
    assert!(!log.contains("does not exist"), "{log}");
    let caller = Caller::new(url, String::new());
    assert_eq!(caller.get("/livez").await.status, StatusCode::OK);
    let ready = caller.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);

    place.run(&["migrate"]).finish().await.ok();
    process.wait_for_log("the schema is complete").await;
    let caller = Caller::new(caller.url, place.key().await);
    eventually("the broker is ready", async || {
        caller.get("/readyz").await.status == StatusCode::OK
    })
    .await;
    caller.upload("/a.csv", "a\n").await;
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn openapi_prints_the_committed_document() {
    let printed = Run::new(&["openapi"]).finish().await.ok();
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.yaml"));
    assert!(
        printed.out == committed.expect("openapi.yaml"),
        "run `make openapi`"
    );
}

#[tokio::test]
async fn healthcheck_succeeds_only_when_a_broker_answers() {
    let place = Place::new().await;
    let (process, caller) = place.start(place.serve()).await;
    let bind = caller.url.trim_start_matches("http://").to_owned();
    let check = |bind: &str| Run::new(&["healthcheck"]).set("BROKER_BIND", bind).finish();
    let live = check(&bind).await.ok();
    assert_eq!((&*live.out, &*live.err), ("", ""));
    // A broker that listens on every address is checked on the loopback address.
    let port = bind.split(':').next_back().expect("a port").to_owned();
    check(&format!("0.0.0.0:{port}")).await.ok();
    process.stop("TERM").await.ok();
    check(&bind)
        .await
        .expect_failure(1, &[&bind, "does not respond"]);

    // Another program's server is not a broker.
    let other = reqwest::get(format!("{}/livez", cloud::endpoint())).await;
    assert_ne!(other.expect("an answer").status(), StatusCode::OK);
    let other = cloud::address().to_string();
    check(&other).await.expect_failure(1, &[&other, "answered"]);
}

/// Every command and option is described in `--help`.
#[tokio::test]
async fn help_describes_every_command_and_option() {
    let top = Run::new(&["--help"]).finish().await.ok();
    let known = [
        "serve",
        "dev",
        "migrate",
        "openapi",
        "check-config",
        "doctor",
        "janitor",
        "healthcheck",
        "keys",
        "rules",
        "put",
        "get",
        "ls",
        "rm",
        "status",
        "completions",
        "man",
    ];
    let mut pages = vec![("upload-broker".to_owned(), top.out)];
    for name in known {
        pages.push((
            name.to_owned(),
            Run::new(&[name, "--help"]).finish().await.ok().out,
        ));
    }
    for name in ["create", "list", "revoke"] {
        let page = Run::new(&["keys", name, "--help"]).finish().await.ok().out;
        pages.push((format!("keys {name}"), page));
    }
    let page = Run::new(&["rules", "check", "--help"])
        .finish()
        .await
        .ok()
        .out;
    pages.push(("rules check".to_owned(), page));
    for name in known {
        assert!(
            pages[0].1.contains(&format!("\n  {name} ")),
            "{}",
            pages[0].1
        );
    }
    for (name, page) in &pages {
        let first = page.lines().next().unwrap_or_default();
        assert!(
            !first.is_empty() && !first.starts_with("Usage"),
            "{name}: {page}"
        );
        let entry = |line: &&str| line.starts_with("  ") && line.trim_start().len() > 1;
        let listed = page.split("\nExamples:").next().unwrap_or_default();
        for line in listed.lines().filter(entry) {
            let named = line.trim_start().starts_with(['-', '[', '<'])
                || line.starts_with("  ") && !line.starts_with("   ");
            let described = line
                .trim()
                .split("  ")
                .filter(|part| !part.is_empty())
                .count()
                > 1;
            assert!(
                !named || described,
                "{name}: no word about {line:?}\n{page}"
            );
        }
    }
    for name in ["get", "ls", "rm", "status"] {
        let (_, page) = pages.iter().find(|(page, _)| page == name).expect(name);
        for text in ["\nExamples:\n  upload-broker ", "\nExit codes:\n"] {
            assert!(page.contains(text), "{name}: no {text:?}: {page}");
        }
        let wide = page.lines().find(|line| line.chars().count() > 100);
        assert_eq!(wide, None, "{name}");
    }
    let version = Run::new(&["--version"]).finish().await.ok();
    assert_eq!(
        version.out,
        concat!("upload-broker ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
