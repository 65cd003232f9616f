//! Errors of Textract: each is waited for, tried again or reported, as it deserves.

use super::scene::Scene;
use super::service::{Fault, GET, START};

/// The SDK makes three attempts at a call.
const ATTEMPTS: usize = 3;

#[tokio::test]
async fn throttling_and_limits_are_waited_for_without_using_up_attempts() {
    let scene = Scene::new().await;
    for code in [
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
    ] {
        let faults = vec![Fault::Error(code); ATTEMPTS];
        scene.textract.fail_next(START, faults.clone());
        if code != "LimitExceededException" {
            scene.textract.fail_next(GET, faults);
        }
    }
    let worker = scene.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    let job = scene
        .wait_for_message(&upload, "Textract accepts no more calls at present")
        .await;
    assert_eq!(job["status"], "Queued", "{job:#}");
    scene.wait_for_status(&upload, "Processed").await;
    let job = scene.job(&upload).await;
    assert_eq!(job["attempt"], 1, "{job:#}");
    assert_eq!(scene.textract.runs(), 1);
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn document_that_textract_refuses_fails_with_the_reason() {
    let scene = Scene::new().await;
    let worker = scene.worker().spawn();
    for code in [
        "BadDocumentException",
        "DocumentTooLargeException",
        "UnsupportedDocumentException",
    ] {
        scene.textract.fail_next(START, [Fault::Error(code)]);
        let upload = scene.upload(&format!("/in/{code}.pdf")).await;
        scene.wait_for_status(&upload, "Error").await;
        let job = scene.job(&upload).await;
        let message = job["message"].as_str().expect("a message");
        assert!(
            message.contains("Textract cannot read the document"),
            "{job:#}"
        );
        assert!(
            message.contains("3000 pages") && message.contains(code),
            "{job:#}"
        );
        assert_eq!(job["attempt"], 1, "the same would happen: {job:#}");
    }
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn refused_and_unanswered_calls_are_tried_again() {
    let scene = Scene::new().await;
    let worker = scene.worker().spawn();
    let refused = "Textract has refused the call";
    let unanswered = "Textract does not answer";
    for (number, operation, fault, count, message) in [
        (1, START, Fault::Error("AccessDeniedException"), 1, refused),
        (2, START, Fault::Error("InvalidKMSKeyException"), 1, refused),
        (
            3,
            START,
            Fault::Error("InvalidS3ObjectException"),
            1,
            refused,
        ),
        (
            4,
            START,
            Fault::Error("InvalidParameterException"),
            1,
            refused,
        ),
        (
            5,
            START,
            Fault::Error("InternalServerError"),
            ATTEMPTS,
            unanswered,
        ),
        (6, START, Fault::Closed, ATTEMPTS, unanswered),
        (7, GET, Fault::Error("AccessDeniedException"), 1, refused),
        (8, GET, Fault::Error("InvalidS3ObjectException"), 1, refused),
        (
            9,
            GET,
            Fault::Error("InternalServerError"),
            ATTEMPTS,
            unanswered,
        ),
        (10, GET, Fault::Closed, ATTEMPTS, unanswered),
    ] {
        scene
            .textract
            .fail_next(operation, vec![fault.clone(); count]);
        let upload = scene.upload(&format!("/in/{number}.pdf")).await;
        let job = scene.wait_for_message(&upload, message).await;
        if let Fault::Error(code) = fault {
            let text = job["message"].as_str().expect("a message");
            assert!(text.contains(code), "{operation}: {job:#}");
        }
        scene.make_due(&upload).await;
        scene.wait_for_status(&upload, "Processed").await;
        let job = scene.job(&upload).await;
        assert_eq!(job["attempt"], 2, "{operation} {fault:?}: {job:#}");
    }
    assert_eq!(scene.textract.runs(), 10, "each document is paid for once");
    worker.stop("TERM").await.ok();
}

#[tokio::test]
async fn settings_that_change_before_the_run_is_known_lead_to_another_run() {
    let scene = Scene::new().await;
    scene.textract.fail_next(
        START,
        [Fault::Error("IdempotentParameterMismatchException")],
    );
    let worker = scene.worker().spawn();
    let upload = scene.upload("/in/a.pdf").await;
    scene
        .wait_for_message(&upload, "The settings of Textract have changed")
        .await;
    scene.make_due(&upload).await;
    scene.wait_for_status(&upload, "Processed").await;
    let starts = scene.textract.calls(START);
    assert_ne!(
        starts[0]["ClientRequestToken"],
        starts[1]["ClientRequestToken"]
    );
    worker.stop("TERM").await.ok();
}
