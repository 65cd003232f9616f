//! The watch over the logs of the suite is awake: what it should find it finds, what is masked it
//! lets pass, it has heard everybody, and it ends the run.

use std::process::Stdio;

use tokio::process::Command;

use crate::support::leaks::{CODE, INSIDE, SHAPES, find, heard_at_info, lines, told, watch};
use crate::support::process::Run;
use crate::support::serving::Place;
use crate::support::{app, block_on, cloud, database};

/// A key that nobody was given.
const KEY: &str = "ubk_bWFkZS11cC1tYWRlLXVwLW1hZGUtdXAtbWFkZS11cCE";
/// Says to a run of this very program which leak it should have.
const WANTED: &str = "LEAK_ON_PURPOSE";

#[test]
fn each_shape_is_found_and_its_masked_form_is_not() {
    for shape in &SHAPES {
        assert!(shape.is_in(shape.hit), "{}: {}", shape.what, shape.hit);
        let found = find(shape.hit).unwrap_or_default();
        assert!(found.contains(shape.what), "{found}: {}", shape.hit);
        assert_eq!(find(shape.masked), None, "{}", shape.masked);
    }
}

#[tokio::test]
async fn each_secret_of_the_suite_is_found_by_itself() {
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
fn what_we_log_is_heard_and_what_a_library_logs_is_masked() {
    let leaks = told(|| {
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

/// In the test's own process and in one of the binary's, in both forms of the log.
#[tokio::test]
async fn everybody_is_heard_at_trace() {
    app::App::start().await.get("/datasets").await.expect_ok();
    let place = Place::new().await;
    for format in ["text", "json"] {
        let before = lines("serve", "tokio_postgres");
        let (mut process, caller) = place
            .start(place.serve().set("BROKER_LOG_FORMAT", format))
            .await;
        caller.get("/datasets").await.expect_ok();
        let heard = process.says("/datasets").await;
        let ended = process.stop("TERM").await.ok();
        // The test itself is told no more than ever.
        assert!(heard.contains("INFO"), "{heard}");
        for line in ended.err.lines() {
            assert!(heard_at_info(line), "{line}");
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
        for place in [INSIDE, "serve"] {
            assert!(lines(place, library) > 0, "{library} is not heard {place}");
        }
    }
}

/// Leaks when a run of this program, started by the next test, asks it to.
#[test]
fn a_leak_where_one_is_asked_for() {
    let Some(place) = std::env::var_os(WANTED) else {
        return;
    };
    watch();
    if place == "inside" {
        // Its panic, if it made one, would be caught.
        let _ = std::thread::spawn(|| log::info!(target: "upload_broker", "got {KEY}")).join();
    } else {
        // clap repeats what it does not know.
        let _ = block_on(Run::new(&[KEY]).end());
    }
}

#[tokio::test]
async fn a_leak_ends_the_whole_run() {
    let itself = std::env::current_exe().expect("this program");
    for place in ["inside", "process"] {
        let run = Command::new(&itself)
            .args(["--exact", "leaks::a_leak_where_one_is_asked_for"])
            .env(WANTED, place)
            .stdin(Stdio::null())
            .output();
        let ended = run.await.expect("a run");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(CODE), "{place}: {said}");
        let story = "a log holds a secret (an API key), said by ";
        assert!(
            said.contains(story) && said.contains(KEY),
            "{place}: {said}"
        );
    }
}
