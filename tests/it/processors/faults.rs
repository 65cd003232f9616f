//! A processor that crashes, lies or does not read; inputs that break, stall or have another size;
//! a worker that stops.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use serde_json::json;
use upload_broker::processors::child::{ChildError, Input, Program};

use super::scene::{Scene, endless, input};
use crate::support::observe::eventually;

#[tokio::test]
async fn inputs_arrive_unchanged_and_in_order() {
    let scene = Scene::new();
    let large: Vec<u8> = (0..40_000_000_u32).map(|n| (n % 251) as u8).collect();
    let chunks = large
        .chunks(3_000_001)
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)));
    let chunks: Vec<io::Result<Bytes>> = chunks.collect();
    let inputs = vec![
        input("first"),
        input(""),
        Input {
            size: large.len() as u64,
            bytes: stream::iter(chunks).boxed(),
        },
        input("last"),
    ];
    let done = scene.run(json!("echo"), inputs).await;
    assert_eq!(done.report, json!({"sizes": [5, 0, 40_000_000, 4]}));
    assert!(done.bytes == [b"first", &*large, b"last"].concat());
    assert_eq!(scene.taken(), 40_000_009);
    let none = scene.run(json!("echo"), vec![]).await;
    assert_eq!(none.report, json!({"sizes": []}));
    scene.assert_empty();
}

#[tokio::test]
async fn processor_failure_is_passed_on() {
    let scene = Scene::new();
    let failure = scene
        .fail(json!({"fail": "no-header"}), vec![input("a")])
        .await;
    assert_eq!(
        (&*failure.code, &*failure.message),
        ("no-header", "as requested")
    );
    assert!(failure.is_permanent);
    let failure = scene.fail(json!({"juggle": 3}), vec![]).await;
    assert_eq!(failure.code, "invalid-options", "{failure:?}");
}

#[tokio::test]
async fn crash_is_a_permanent_failure_without_data_of_the_input() {
    let scene = Scene::new();
    let panicked = scene.fail(json!("panic"), vec![]).await;
    let (code, message) = (&*panicked.code, &*panicked.message);
    assert_eq!(code, "crashed");
    assert!(message.contains("src/processors/trial.rs:"), "{message}");
    assert!(!message.contains("a cell of the caller"), "{message}");
    for options in ["abort", "recurse"] {
        let crashed = scene.fail(json!(options), vec![]).await;
        assert_eq!(crashed.code, "crashed", "{options}: {crashed:?}");
        assert!(crashed.is_permanent, "{options}: {crashed:?}");
    }
}

#[tokio::test]
async fn process_that_ends_without_a_report_has_crashed_whatever_it_writes() {
    let scene = Scene::new();
    // Far more than a pipe holds, and more than is kept.
    for bytes in [0, 10, 20_000_000] {
        let failure = scene.fail(json!({"garbage": bytes}), vec![]).await;
        assert_eq!(failure.code, "crashed", "{failure:?}");
        assert!(failure.message.contains("without a report"), "{failure:?}");
    }
}

#[tokio::test]
async fn processor_that_does_not_read_gets_no_more_than_a_pipe_holds() {
    let scene = Scene::new();
    let polled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&polled);
    let chunks = endless(1 << 20).inspect(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let input = Input {
        size: 1 << 40,
        bytes: chunks.boxed(),
    };
    scene.run(json!({"sleep": 500}), vec![input]).await;
    // One that is being written, and one that was read in advance.
    let polled = polled.load(Ordering::Relaxed);
    assert!(polled <= 2, "{polled} chunks");
    assert_eq!(scene.taken(), 0);
}

#[tokio::test]
async fn processor_may_end_before_its_input() {
    let scene = Scene::new();
    let stalled = stream::pending().boxed();
    for bytes in [endless(1 << 20), stalled] {
        let size = 1 << 40;
        scene
            .run(json!("ignore"), vec![Input { size, bytes }])
            .await;
    }
}

#[tokio::test]
async fn input_that_breaks_ends_the_process_with_its_cause() {
    let scene = Scene::new();
    let broken = Err(io::Error::other("the line is dead"));
    let bytes = stream::iter([Ok(Bytes::from("half")), broken]).boxed();
    let ended = scene
        .try_run(json!("echo"), vec![Input { size: 8, bytes }])
        .await;
    match ended {
        Err(error @ ChildError::Input(_)) => {
            assert!(!error.is_permanent());
            let cause = std::error::Error::source(&error).expect("a cause");
            assert_eq!(cause.to_string(), "the line is dead");
        }
        other => panic!("{other:?}"),
    }
    eventually("the end of the process", async || {
        scene.children().is_empty()
    })
    .await;
    scene.assert_empty();
}

#[tokio::test]
async fn input_of_another_size_is_no_input() {
    let scene = Scene::new();
    for (size, word) in [(3, "more"), (5, "fewer")] {
        let bytes = stream::iter([Ok(Bytes::from("four"))]).boxed();
        let ended = scene
            .try_run(json!("echo"), vec![Input { size, bytes }])
            .await;
        match ended {
            Err(ChildError::Input(error)) => assert!(error.to_string().contains(word), "{error}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn time_limit_is_temporary_if_the_input_does_not_arrive() {
    let scene = Scene::new().limited(|limits| limits.wall = Duration::from_millis(500));
    let bytes = stream::pending().boxed();
    let failure = scene
        .fail(json!("echo"), vec![Input { size: 1, bytes }])
        .await;
    assert_eq!(failure.code, "time-limit");
    assert!(!failure.is_permanent, "{failure:?}");
}

#[tokio::test]
async fn stop_ends_the_process() {
    let scene = Scene::new();
    let stopping = async {
        eventually("the process", async || !scene.children().is_empty()).await;
        scene.stop.cancel();
    };
    let (ended, ()) = tokio::join!(scene.try_run(json!({"sleep": 600_000}), vec![]), stopping);
    assert!(matches!(ended, Err(ChildError::Stopped)), "{ended:?}");
    eventually("the end of the process", async || {
        scene.children().is_empty()
    })
    .await;
    scene.assert_empty();
}

#[tokio::test]
async fn process_ends_with_the_future_that_waits_for_it() {
    let scene = Scene::new();
    {
        let run = scene.try_run(json!({"sleep": 600_000}), vec![]);
        let started = eventually("the process", async || !scene.children().is_empty());
        tokio::select! {
            ended = run => panic!("{ended:?}"),
            () = started => {}
        }
    }
    eventually("the end of the process", async || {
        scene.children().is_empty()
    })
    .await;
    scene.assert_empty();
}

#[tokio::test]
async fn program_or_folder_that_is_missing_is_a_temporary_error() {
    let mut scene = Scene::new();
    scene.program = Program::at("/nowhere/upload-broker");
    let error = scene.try_run(json!("echo"), vec![]).await.unwrap_err();
    assert!(
        matches!(error, ChildError::Start(_)) && !error.is_permanent(),
        "{error:?}"
    );
    let scene = Scene::new().limited(|limits| limits.scratch = "/nowhere".into());
    match scene.try_run(json!("echo"), vec![]).await {
        Err(ChildError::Start(error)) => {
            assert!(
                error.to_string().contains("no temporary file in /nowhere"),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
}
