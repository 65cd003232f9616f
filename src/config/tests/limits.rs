//! Timeouts that limit each other, and Postgres URLs with several hosts.

use super::{good, load};

#[test]
fn timeout_must_not_exceed_the_timeout_that_contains_it() {
    let aws = good(&[]).aws;
    let seconds = [aws.connect, aws.attempt, aws.total].map(|time| time.as_secs());
    assert_eq!(seconds, [2, 5, 12]);
    // The defaults depend on the values that are set.
    let request = ("BROKER_REQUEST_TIMEOUT_SECONDS", "4");
    let settings = good(&[request, ("BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS", "0.25")]);
    let aws = settings.aws;
    let millis = [aws.connect, aws.attempt, aws.total].map(|time| time.as_millis());
    assert_eq!(millis, [250, 250, 4_000]);
    assert_eq!(settings.database.statement_timeout.as_secs(), 4);
    for (name, value, whole) in [
        (
            "BROKER_AWS_CONNECT_TIMEOUT_SECONDS",
            "4.5",
            "BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS, which is 4",
        ),
        (
            "BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS",
            "5",
            "BROKER_AWS_TIMEOUT_SECONDS, which is 4",
        ),
        (
            "BROKER_AWS_TIMEOUT_SECONDS",
            "4.1",
            "BROKER_REQUEST_TIMEOUT_SECONDS, which is 4",
        ),
        (
            "BROKER_DB_STATEMENT_TIMEOUT_SECONDS",
            "5",
            "BROKER_REQUEST_TIMEOUT_SECONDS, which is 4",
        ),
    ] {
        let faults = load(&[request, (name, value)])
            .map(|_| ())
            .expect_err(value);
        assert_eq!(
            faults,
            [format!("{name}={value:?}: must be at most {whole}")]
        );
    }
    let faults = load(&[("BROKER_MAX_CONNECTIONS", "1000")]).map(|_| ());
    let faults = faults.expect_err("fewer connections than requests");
    assert!(
        faults[0].contains("at least BROKER_MAX_IN_FLIGHT, which is 1024"),
        "{faults:?}"
    );
    for bad in ["0", "-1", "NaN", "inf", "1e99", "1s"] {
        let faults = load(&[("BROKER_DB_POOL_WAIT_SECONDS", bad)])
            .map(|_| ())
            .expect_err(bad);
        assert!(
            faults[0].contains("a number from 0.001 to 300, in seconds"),
            "{faults:?}"
        );
    }
}

#[test]
fn database_url_may_name_several_hosts() {
    let url = "postgres://u:hunter2@one:5432,two:5433/db?sslmode=require";
    let settings = good(&[("DATABASE_URL", url)]);
    assert_eq!(settings.database.url.expose(), url);
    let shown = format!("{:?}", settings.database.url);
    assert_eq!(
        shown,
        "postgres://u:***@one:5432,two:5433/db?sslmode=require"
    );
    let faults = load(&[("DATABASE_URL", "postgres://u:hunter2@one:5432,two:x/db")]).map(|_| ());
    let faults = faults.expect_err("a port that is none");
    assert!(
        faults[0].starts_with("DATABASE_URL=") && !faults[0].contains("hunter2"),
        "{faults:?}"
    );
}

#[test]
fn stale_multipart_scope_is_own_uploads_by_default() {
    let stale = |value: &str, scope: &str| {
        let stale = good(&[
            ("BROKER_STALE_MULTIPART_SECONDS", value),
            ("BROKER_STALE_MULTIPART_SCOPE", scope),
        ]);
        let stale = stale.janitor.stale_multipart;
        (stale.after.map(|after| after.as_secs()), stale.whole_bucket)
    };
    assert_eq!(stale("", ""), (Some(604_800), false));
    // Setting the default age explicitly does not extend the scope to other programs' uploads.
    assert_eq!(stale("604800", ""), (Some(604_800), false));
    assert_eq!(stale("3600", "own"), (Some(3_600), false));
    assert_eq!(stale("", "bucket"), (Some(604_800), true));
    assert_eq!(stale("0", "bucket"), (None, true));
    let faults = load(&[("BROKER_STALE_MULTIPART_SCOPE", "all")]).map(|_| ());
    let faults = faults.expect_err("no scope");
    assert!(faults[0].contains("own or bucket"), "{faults:?}");
    let faults = load(&[("BROKER_STALE_MULTIPART_SECONDS", "60")]).map(|_| ());
    let faults = faults.expect_err("as young as one that is being created");
    assert!(
        faults[0].contains("a whole number from 3600 to 31536000, in seconds, or 0 for never"),
        "{faults:?}"
    );
}
