//! How answers to a completion are understood, whatever their status: S3 may answer 200 before it
//! knows the outcome and send the error in the body.

use std::time::{Duration, Instant};

use upload_broker::objects::StoreError;
use upload_broker::objects::multipart::Completion;
use upload_broker::objects::sign::Precondition;

use super::scene::{KEY, Scene, completion};
use crate::support::cloud;
use crate::support::faulty_proxy::{FaultyProxy, Mode};

/// An answer of S3 as raw bytes. It ends with the connection.
macro_rules! answer {
    ($status:literal, $body:expr) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            "\r\nconnection: close\r\ncontent-type: application/xml\r\n\r\n",
            $body
        )
    };
    ($status:literal) => {
        answer!($status, "")
    };
}

macro_rules! error {
    ($status:literal, $code:literal) => {
        answer!(
            $status,
            concat!(
                "<Error><Code>",
                $code,
                "</Code><Message>why</Message></Error>"
            )
        )
    };
}

/// The result of a completion to which S3 gives this answer.
async fn outcome_of(answer: &'static str) -> Result<Completion, StoreError> {
    outcome_with(answer, Precondition::Absent).await
}

async fn outcome_with(
    answer: &'static str,
    precondition: Precondition<'_>,
) -> Result<Completion, StoreError> {
    let proxy = FaultyProxy::new(cloud::address());
    let scene = Scene::at(&proxy.endpoint()).await;
    let upload = scene.begin(None).await;
    scene.part(&upload, 1, "one").await;
    let parts = scene.parts(&upload).await;
    proxy.set_mode(Mode::Respond(answer));
    let complete = completion(&upload, &parts, precondition);
    scene.store.complete_multipart(&complete).await
}

#[tokio::test]
async fn completion_outcome_follows_error_code_not_http_status() {
    let refused = |code| Completion::Refused { code };
    for (answer, expected) in [
        (error!("200 OK", "NoSuchUpload"), Completion::NoSuchUpload),
        (
            error!("404 Not Found", "NoSuchUpload"),
            Completion::NoSuchUpload,
        ),
        (
            error!("200 OK", "PreconditionFailed"),
            Completion::PreconditionFailed,
        ),
        (
            error!("412 Precondition Failed", "PreconditionFailed"),
            Completion::PreconditionFailed,
        ),
        // Other stores answer like this.
        (
            error!("412 Precondition Failed", "InvalidRequest"),
            Completion::PreconditionFailed,
        ),
        (
            answer!("412 Precondition Failed"),
            Completion::PreconditionFailed,
        ),
        (
            error!("404 Not Found", "NoSuchKey"),
            Completion::NoSuchUpload,
        ),
        (answer!("404 Not Found"), Completion::NoSuchUpload),
        (
            error!("409 Conflict", "ConditionalRequestConflict"),
            Completion::Conflict,
        ),
        (error!("409 Conflict", "InvalidPart"), Completion::Conflict),
        (
            error!("400 Bad Request", "EntityTooSmall"),
            refused("EntityTooSmall"),
        ),
        (error!("200 OK", "InvalidPart"), refused("InvalidPart")),
    ] {
        let outcome = outcome_of(answer).await;
        assert_eq!(outcome.expect("an outcome"), expected, "{answer}");
    }
}

/// S3 gives this answer when there is no object that `If-Match` could name.
#[tokio::test]
async fn no_such_key_with_if_match_means_precondition_failed() {
    let answer = error!("404 Not Found", "NoSuchKey");
    let outcome = outcome_with(answer, Precondition::Matches("\"etag\"")).await;
    assert_eq!(outcome.expect("an outcome"), Completion::PreconditionFailed);
}

#[tokio::test]
async fn every_404_except_no_such_bucket_means_that_the_upload_is_gone() {
    let proxy = FaultyProxy::new(cloud::address());
    let scene = Scene::at(&proxy.endpoint()).await;
    let upload = scene.begin(None).await;
    for answer in [
        error!("404 Not Found", "NoSuchUpload"),
        error!("404 Not Found", "NoSuchKey"),
        answer!("404 Not Found"),
    ] {
        proxy.set_mode(Mode::Respond(answer));
        let listed = scene.store.list_parts(KEY, &upload, 0).await;
        assert!(matches!(listed, Ok(None)), "{answer}: {listed:?}");
        let aborted = scene.store.abort_multipart(KEY, &upload).await;
        assert!(aborted.is_ok(), "{answer}: {aborted:?}");
    }
    proxy.set_mode(Mode::Respond(error!("404 Not Found", "NoSuchBucket")));
    let listed = scene.store.list_parts(KEY, &upload, 0).await;
    assert!(listed.is_err(), "{listed:?}");
    let aborted = scene.store.abort_multipart(KEY, &upload).await;
    assert!(aborted.is_err(), "{aborted:?}");
}

#[tokio::test]
async fn failed_completion_is_an_error_and_no_outcome() {
    for (answer, said) in [
        (
            error!("200 OK", "InternalError"),
            "failed: 200 InternalError",
        ),
        (error!("503 Slow Down", "SlowDown"), "failed: 503 SlowDown"),
        (error!("403 Forbidden", "AccessDenied"), "refuses"),
        (error!("404 Not Found", "NoSuchBucket"), "refuses"),
        (answer!("200 OK"), "a document that cannot be read"),
    ] {
        let outcome = outcome_of(answer).await;
        let error = outcome.expect_err(answer).to_string();
        assert!(
            error.contains("CompleteMultipartUpload"),
            "{answer}: {error}"
        );
        assert!(error.contains(said), "{answer}: {error}");
    }
}

#[tokio::test]
async fn completion_has_its_own_timeout() {
    let proxy = FaultyProxy::new(cloud::address());
    let scene = Scene::at(&proxy.endpoint()).await;
    let upload = scene.begin(None).await;
    scene.part(&upload, 1, "one").await;
    let parts = scene.parts(&upload).await;
    proxy.set_mode(Mode::Silent);
    let mut complete = completion(&upload, &parts, Precondition::Absent);
    complete.timeout = Duration::from_secs(1);
    // Longer than the hurried client usually waits, and shorter than a client that would wait for
    // ever.
    let hurried = scene.hurried(&proxy.endpoint(), Duration::from_millis(50));
    for store in [&hurried, &scene.store] {
        let start = Instant::now();
        assert!(store.complete_multipart(&complete).await.is_err());
        let waited = start.elapsed();
        assert!(waited >= complete.timeout, "{waited:?}");
        assert!(waited < Duration::from_secs(20), "{waited:?}");
    }
    let start = Instant::now();
    assert!(hurried.abort_multipart(KEY, &upload).await.is_err());
    let waited = start.elapsed();
    assert!(
        waited < complete.timeout,
        "others stay as they were: {waited:?}"
    );

    // The outcome is unknown. It is safe to complete again.
    proxy.set_mode(Mode::Forward(cloud::address()));
    let outcome = scene.complete(&upload, &parts, Precondition::Absent).await;
    assert!(matches!(outcome, Completion::Done { .. }), "{outcome:?}");
    assert_eq!(scene.bucket.get(KEY).await, b"one");
}
