//! No input makes a processor use more than it may. Whatever it does, the broker gets a failure
//! that says which limit was reached.

use std::time::{Duration, Instant};

use serde_json::json;
use upload_broker::processors::Failure;

use super::scene::{Scene, input};

const MIB: u64 = 1 << 20;

fn assert_limit(failure: &Failure, code: &str, text: &str) {
    assert_eq!(failure.code, code, "{failure:?}");
    assert!(failure.is_permanent, "{failure:?}");
    assert!(failure.message.contains(text), "{failure:?}");
}

#[tokio::test]
async fn allocation_beyond_the_memory_limit_fails_as_memory_limit() {
    let scene = Scene::new().limited(|limits| limits.memory_bytes = 16 * MIB);
    let failure = scene.fail(json!({"allocate": 96 * MIB}), vec![]).await;
    assert_limit(&failure, "memory-limit", "16777216 bytes of memory");
    // Address space counts, not only what is touched.
    let failure = scene.fail(json!({"allocate": 1_u64 << 40}), vec![]).await;
    assert_limit(&failure, "memory-limit", "");
}

#[tokio::test]
async fn memory_up_to_the_limit_can_be_used() {
    for mebibytes in [16, 128, 512] {
        let bytes = mebibytes * MIB;
        let scene = Scene::new().limited(|limits| limits.memory_bytes = bytes);
        let done = scene.run(json!({"allocate": bytes}), vec![]).await;
        assert_eq!(done.report, json!({"allocated": bytes}));
    }
}

#[tokio::test]
async fn endless_computation_fails_as_cpu_limit() {
    let scene = Scene::new().limited(|limits| limits.cpu_seconds = 1);
    let failure = scene.fail(json!("spin"), vec![]).await;
    assert_limit(&failure, "cpu-limit", "1 s of CPU time");
}

#[tokio::test]
async fn processor_that_does_nothing_for_too_long_fails_as_time_limit() {
    let scene = Scene::new().limited(|limits| limits.wall = Duration::from_millis(300));
    let start = Instant::now();
    let failure = scene.fail(json!({"sleep": 600_000}), vec![]).await;
    assert_limit(&failure, "time-limit", "within 0.3 s");
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn result_that_is_too_large_fails_as_output_limit() {
    let scene = Scene::new().limited(|limits| limits.output_bytes = MIB);
    let done = scene.run(json!({"write": MIB}), vec![]).await;
    assert_eq!(done.bytes.len() as u64, MIB);
    let failure = scene.fail(json!({"write": MIB + 1}), vec![]).await;
    assert_limit(&failure, "output-limit", "1048576 bytes");
    // The same for a processor that bypasses the writer that it gets: the broker counts again.
    let failure = scene.fail(json!({"flood": MIB + 1}), vec![]).await;
    assert_limit(&failure, "output-limit", "1048576 bytes");
}

#[tokio::test]
async fn file_that_is_too_large_fails_as_output_limit() {
    let scene = Scene::new().limited(|limits| {
        limits.output_bytes = MIB;
        limits.spill_bytes = 2 * MIB;
    });
    scene.run(json!({"spill": 2 * MIB}), vec![]).await;
    for action in ["spill", "flood"] {
        let failure = scene.fail(json!({action: 2 * MIB + 1}), vec![]).await;
        assert_limit(&failure, "output-limit", "2097152 bytes");
    }
    scene.assert_empty();
}

#[tokio::test]
async fn number_of_open_files_is_limited() {
    let scene = Scene::new();
    let done = scene.run(json!({"open": 200}), vec![]).await;
    assert_eq!(done.report, json!({"opened": 200}));
    let failure = scene.fail(json!({"open": 300}), vec![]).await;
    assert_eq!(failure.code, "io", "{failure:?}");
}

#[tokio::test]
async fn broker_runs_the_next_processor_after_any_failure() {
    let scene = Scene::new().limited(|limits| limits.memory_bytes = MIB);
    for options in [
        json!({"allocate": 1_u64 << 40}),
        json!("abort"),
        json!("recurse"),
    ] {
        scene.fail(options, vec![]).await;
        let done = scene.run(json!("echo"), vec![input("still here")]).await;
        assert_eq!(done.bytes, b"still here");
    }
}
