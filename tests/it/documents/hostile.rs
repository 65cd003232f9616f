//! Damaged and hostile documents: each ends in a status with its reason, and the worker lives on.

use std::collections::BTreeMap;
use std::time::Instant;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::{LONG, Scene, pdfs};
use crate::support::app::id;
use crate::support::observe::within;

/// A document of the corpus, and its outcome: a part of the report of a job that succeeds, or the
/// code of its failure.
const OUTCOMES: &[(&str, Result<&str, &str>)] = &[
    ("arabic", Ok(r#"{"pages":1,"text_pages":1}"#)),
    ("deep-nesting", Ok(r#"{"pages":1,"partial":false}"#)),
    ("empty", Err("pdf-not-recognized")),
    (
        "encrypted-owner",
        Ok(r#"{"encrypted":true,"text_pages":1}"#),
    ),
    ("encrypted-user", Err("pdf-encrypted")),
    ("endless-text", Err("memory-limit")),
    ("flipped", Ok(r#"{"pages":500,"partial":true}"#)),
    ("flipped-lightly", Ok(r#"{"pages":500}"#)),
    ("font-bomb", Ok(r#"{"pages":1}"#)),
    ("form-loop", Ok(r#"{"pages":1,"text_pages":1}"#)),
    ("header-only", Err("pdf-damaged")),
    ("lying-count", Err("pdf-damaged")),
    ("lying-count-low", Ok(r#"{"pages":1}"#)),
    (
        "missing-pages",
        Ok(r#"{"pages":12,"text_pages":8,"missing_pages":4,"partial":true}"#),
    ),
    ("negative-count", Err("pdf-damaged")),
    ("no-pages", Err("pdf-damaged")),
    ("not-a-pdf", Err("pdf-not-recognized")),
    ("object-loop", Ok(r#"{"pages":1,"text_pages":0}"#)),
    ("page-tree-deep", Ok(r#"{"pages":1,"text_pages":1}"#)),
    ("page-tree-fan-out", Err("pdf-damaged")),
    ("page-tree-loop", Err("pdf-damaged")),
    ("previous-table-loop", Ok(r#"{"pages":1,"text_pages":1}"#)),
    (
        "scanned",
        Ok(r#"{"pages":2,"text_pages":0,"scanned":true,"partial":false}"#),
    ),
    ("shared-page", Err("pdf-damaged")),
    ("text-bomb", Ok(r#"{"pages":1,"text_pages":1}"#)),
    ("truncated", Err("pdf-damaged")),
    ("truncated-start", Err("pdf-damaged")),
];

fn assert_outcome(name: &str, job: &Value, expected: Result<&str, &str>) {
    match expected {
        Ok(report) => {
            assert_eq!(job["status"], "Succeeded", "{name}: {job:#}");
            let report: BTreeMap<String, Value> = serde_json::from_str(report).expect("JSON");
            for (field, value) in report {
                assert_eq!(job["report"][&field], value, "{name}: {field}: {job:#}");
            }
        }
        Err(code) => {
            assert_eq!(job["status"], "Failed", "{name}: {job:#}");
            let message = job["message"].as_str().expect("a message");
            assert!(message.ends_with(&format!("({code})")), "{name}: {message}");
            assert_eq!(job["attempt"], 1, "{name}: the same would happen: {job:#}");
        }
    }
}

#[tokio::test]
async fn damaged_and_hostile_documents_end_with_their_reason_and_hold_up_nothing() {
    let scene = Scene::new().await;
    let worker = scene.worker().set("BROKER_WORKER_JOBS", 2).spawn();
    let mut uploads = Vec::new();
    let names: Vec<&str> = OUTCOMES.iter().map(|(name, _)| *name).collect();
    for ((name, expected), bytes) in OUTCOMES.iter().zip(pdfs(&names).await) {
        let path = format!("/in/{name}.pdf");
        uploads.push((*name, *expected, scene.caller.upload(&path, bytes).await));
    }
    let plays = scene.caller.upload("/plays/a.csv", "Song\na\na\n").await;
    scene.wait_for_status(&plays, "Processed").await;
    for (name, expected, upload) in &uploads {
        let what = format!("{name} has ended");
        within(LONG, &what, async || {
            let job = scene.job(upload).await;
            ["Succeeded", "Failed"]
                .map(Value::from)
                .contains(&job["status"])
        })
        .await;
        assert_outcome(name, &scene.job(upload).await, *expected);
        let status = if expected.is_ok() {
            "Processed"
        } else {
            "Error"
        };
        assert_eq!(scene.read(upload).await["status"], status, "{name}");
    }
    // The pages that can be read are there, in their order.
    let damaged = uploads.iter().find(|(name, ..)| *name == "missing-pages");
    let damaged = &damaged.expect("an upload").2;
    let text = scene.text(damaged, "").await.expect(StatusCode::OK);
    let pages = text["text"].as_array().expect("an array");
    for (page, number) in pages.iter().zip([1, 2, 3, 7, 8, 9, 11, 12]) {
        let start = format!("page number{number}\n");
        let text = page["text"].as_str().expect("a text");
        assert!(text.starts_with(&start), "{start}: {text}");
    }
    assert_eq!((pages.len(), &text["pages"]), (8, &json!(12)), "{text:#}");
    let next = scene.upload_to("/in/next.pdf", "one-page").await;
    scene.wait_for_status(&next, "Processed").await;
    worker.stop("TERM").await.ok();
    let left: Vec<_> = std::fs::read_dir(scene.folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name != "rules.toml")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn bombs_end_at_the_limits_of_cpu_time_and_memory() {
    let scene = Scene::new().await;
    let worker = scene.worker().spawn();
    // Its rule allows two seconds of CPU time.
    let slow = scene.upload_to("/hasty/slow.pdf", "stream-bomb").await;
    let wide = scene.upload_to("/in/wide.pdf", "form-fan-out").await;
    let started = Instant::now();
    for (upload, codes) in [
        (&slow, &["cpu-limit"][..]),
        // Whichever comes first.
        (&wide, &["memory-limit", "cpu-limit"][..]),
    ] {
        scene.wait_for_status(upload, "Error").await;
        let job = scene.job(upload).await;
        let message = job["message"].as_str().expect("a message");
        let is_known = codes
            .iter()
            .any(|code| message.ends_with(&format!("({code})")));
        assert!(is_known, "{job:#}");
    }
    assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
    worker.stop("TERM").await.ok();
}

/// A tsvector holds 1 MB. The page is cut for the search, and the pages around it are not harmed.
#[tokio::test]
async fn page_with_too_many_words_does_not_prevent_the_others_from_being_found() {
    let scene = Scene::new().await;
    let worker = scene
        .worker()
        .set("BROKER_WORKER_MEMORY_BYTES", 1 << 30)
        .spawn();
    let upload = scene.upload("many-words-on-a-page").await;
    scene.wait_for_status(&upload, "Processed").await;
    let job = scene.job(&upload).await;
    assert_eq!(job["report"]["cut_pages"], 1, "{job:#}");
    let found = |page| vec![("/in/many-words-on-a-page.pdf".to_owned(), page)];
    assert_eq!(scene.found("q=before").await, found(1));
    assert_eq!(scene.found("q=w0x0q").await, found(2));
    assert_eq!(scene.found("q=after").await, found(3));
    let path = format!("/uploads/{}/text?page=2", id(&upload));
    let text = scene.caller.get(&path).await.expect(StatusCode::OK);
    let length = text["text"][0]["text"].as_str().map(str::len);
    assert_eq!(length, Some(256 * 1024));
    worker.stop("TERM").await.ok();
}
