//! What the answers to a completion mean, whatever their status: S3 says 200 before it knows, and
//! sends the error behind it.

use std::time::{Duration, Instant};

use upload_broker::objects::StoreError;
use upload_broker::objects::multipart::Completion;
use upload_broker::objects::sign::Precondition;

use super::scene::{KEY, Scene, completion};
use crate::support::cloud;
use crate::support::door::{Door, Way};

/// An answer of S3 as it stands on the wire; it ends with the connection.
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

/// What a completion makes of an answer.
async fn told(answer: &'static str) -> Result<Completion, StoreError> {
    let door = Door::to(cloud::address());
    let scene = Scene::at(&door.endpoint()).await;
    let upload = scene.begin(None).await;
    scene.part(&upload, 1, "one").await;
    let parts = scene.parts(&upload).await;
    door.leads(Way::Says(answer));
    let complete = completion(&upload, &parts, Precondition::Absent);
    scene.store.complete_multipart(&complete).await
}

#[tokio::test]
async fn an_error_is_told_by_its_code_and_not_by_its_status() {
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
        (
            error!("404 Not Found", "NoSuchKey"),
            Completion::PreconditionFailed,
        ),
        (
            error!("409 Conflict", "ConditionalRequestConflict"),
            Completion::Conflict,
        ),
        (
            error!("400 Bad Request", "EntityTooSmall"),
            refused("EntityTooSmall"),
        ),
        (error!("200 OK", "InvalidPart"), refused("InvalidPart")),
    ] {
        let outcome = told(answer).await;
        assert_eq!(outcome.expect("an outcome"), expected, "{answer}");
    }
}

#[tokio::test]
async fn a_fault_is_never_an_outcome() {
    for answer in [
        error!("200 OK", "InternalError"),
        error!("503 Slow Down", "SlowDown"),
        error!("403 Forbidden", "AccessDenied"),
        error!("404 Not Found", "NoSuchBucket"),
        answer!("404 Not Found"),
        answer!("200 OK"),
    ] {
        let outcome = told(answer).await;
        let error = outcome.expect_err(answer);
        let said = "S3 CompleteMultipartUpload failed";
        assert_eq!(error.to_string(), said, "{answer}");
    }
}

#[tokio::test]
async fn a_completion_has_a_patience_of_its_own() {
    let door = Door::to(cloud::address());
    let scene = Scene::at(&door.endpoint()).await;
    let upload = scene.begin(None).await;
    scene.part(&upload, 1, "one").await;
    let parts = scene.parts(&upload).await;
    door.leads(Way::Silent);
    let mut complete = completion(&upload, &parts, Precondition::Absent);
    complete.patience = Duration::from_secs(1);
    // Longer than a client in a hurry has, and shorter than one that would wait for ever.
    let hurried = scene.hurried(&door.endpoint(), Duration::from_millis(50));
    for store in [&hurried, &scene.store] {
        let start = Instant::now();
        assert!(store.complete_multipart(&complete).await.is_err());
        let waited = start.elapsed();
        assert!(waited >= complete.patience, "{waited:?}");
        assert!(waited < Duration::from_secs(20), "{waited:?}");
    }
    let start = Instant::now();
    assert!(hurried.abort_multipart(KEY, &upload).await.is_err());
    let waited = start.elapsed();
    assert!(
        waited < complete.patience,
        "others stay as they were: {waited:?}"
    );

    // Nobody knows what became of it; asking again is safe.
    door.leads(Way::To(cloud::address()));
    let outcome = scene.complete(&upload, &parts, Precondition::Absent).await;
    assert!(matches!(outcome, Completion::Done { .. }), "{outcome:?}");
    assert_eq!(scene.bucket.get(KEY).await, b"one");
}
