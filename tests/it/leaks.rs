//! The check for secrets in the logs of the test suite works: it finds every kind of secret,
//! accepts masked ones, reads the logs of every process, and ends the run at the first finding.

use std::process::Stdio;

use tokio::process::Command;

use crate::support::leaks::{
    IN_PROCESS, LEAK_EXIT_CODE, PATTERNS, collect_leaks, find, install_logger, is_visible_at_info,
    lines,
};
use crate::support::process::Run;
use crate::support::serving::Place;
use crate::support::{app, block_on, cloud, database};

/// A key that was never issued.
const KEY: &str = "ubk_bWFkZS11cC1tYWRlLXVwLW1hZGUtdXAtbWFkZS11cCE";
/// The variable that makes another run of this program leak on purpose, and where.
const WANTED: &str = "LEAK_ON_PURPOSE";

#[test]
fn each_secret_shape_is_found_and_its_masked_form_is_not() {
    for shape in &PATTERNS {
        assert!(shape.is_in(shape.hit), "{}: {}", shape.what, shape.hit);
        let found = find(shape.hit).unwrap_or_default();
        assert!(found.contains(shape.what), "{found}: {}", shape.hit);
        assert_eq!(find(shape.masked), None, "{}", shape.masked);
    }
}

#[tokio::test]
async fn each_secret_of_the_suite_is_found_only_in_full() {
    let url = url::Url::parse(database::Database::empty().url()).expect("a URL");
    for secret in [
        cloud::SECRET_ACCESS_KEY,
        crate::auth::issuer::SECRET,
        crate::serve::logs::SECRET,
        crate::serve::log_scan::TOKEN,
        url.password().expect("a password"),
    ] {
        assert!(find(&format!("said \"{secret}\" aloud")).is_some());
        let part = &secret[1..];
        assert_eq!(find(part), None, "{part}");
    }
}

#[test]
fn keys_in_own_log_lines_are_found_and_keys_in_library_lines_are_masked() {
    let leaks = collect_leaks(|| {
        log::trace!(target: "upload_broker::http", "got {KEY}");
        log::trace!(target: "upload_broker::http", path = KEY; "got a path");
        log::trace!(target: "hyper::proto", "authorization: Bearer {KEY}");
        log::trace!(target: "hyper::proto", "{}", cloud::SECRET_ACCESS_KEY);
    });
    let kinds: Vec<_> = leaks.iter().map(|leak| &*leak.what).collect();
    let expected = ["an API key", "an API key", "the cloud's secret key"];
    assert_eq!(kinds, expected, "{leaks:#?}");
    assert!(leaks[0].line.ends_with(&format!("got {KEY}")), "{leaks:#?}");
}

/// In the test's own process and in a process of the binary, with both log formats.
#[tokio::test]
async fn logs_of_test_and_serve_processes_are_checked_at_trace_level() {
    app::App::start().await.get("/datasets").await.expect_ok();
    let place = Place::new().await;
    for format in ["text", "json"] {
        let before = lines("serve", "tokio_postgres");
        let (mut process, caller) = place
            .start(place.serve().set("BROKER_LOG_FORMAT", format))
            .await;
        caller.get("/datasets").await.expect_ok();
        let heard = process.wait_for_log("/datasets").await;
        let ended = process.stop("TERM").await.ok();
        // The test itself sees no more than the usual level.
        assert!(heard.contains("INFO"), "{heard}");
        for line in ended.err.lines() {
            assert!(is_visible_at_info(line), "{line}");
        }
        assert!(lines("serve", "tokio_postgres") > before, "{format}");
    }
    for library in [
        "upload_broker",
        "tokio_postgres",
        "aws_smithy_runtime",
        "aws_sigv4",
        "actix_http",
    ] {
        for place in [IN_PROCESS, "serve"] {
            assert!(lines(place, library) > 0, "{library} is not heard {place}");
        }
    }
}

/// Leaks only when the next test starts this program again with the variable set.
#[test]
fn leaks_a_key_when_asked_by_environment() {
    let Some(place) = std::env::var_os(WANTED) else {
        return;
    };
    install_logger();
    if place == "inside" {
        // A panic here would be caught.
        let _ = std::thread::spawn(|| log::info!(target: "upload_broker", "got {KEY}")).join();
    } else {
        // clap repeats an unknown argument in its message.
        let _ = block_on(Run::new(&[KEY]).finish());
    }
}

#[tokio::test]
async fn leak_ends_the_whole_test_run() {
    let itself = std::env::current_exe().expect("this program");
    for place in ["inside", "process"] {
        let run = Command::new(&itself)
            .args(["--exact", "leaks::leaks_a_key_when_asked_by_environment"])
            .env(WANTED, place)
            .stdin(Stdio::null())
            .output();
        let ended = run.await.expect("a run");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(LEAK_EXIT_CODE), "{place}: {said}");
        let story = "a log contains a secret (an API key), logged by ";
        assert!(
            said.contains(story) && said.contains(KEY),
            "{place}: {said}"
        );
    }
}
