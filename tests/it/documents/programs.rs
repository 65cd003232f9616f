//! The programs of poppler: what happens without them, and that they end with their job.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::{Scene, pdf};
use crate::processors::scene::{Scene as Bounded, input};
use crate::support::observe::eventually;
use upload_broker::processors::child::{self, ChildError, Program, Task};
use upload_broker::processors::{Failure, find};

/// The processes whose temporary files are in this folder, with their command lines.
fn processes(folder: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("/proc");
    let folders = processes.filter_map(|entry| Some(entry.ok()?.path()));
    folders
        .filter(|process| {
            let environment = std::fs::read(process.join("environ")).unwrap_or_default();
            let variable = format!("TMPDIR={folder}");
            environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == variable.as_bytes())
        })
        .filter_map(|process| std::fs::read(process.join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .collect()
}

/// Runs `pdf-text` on a document of the corpus, and returns its failure.
async fn failure_of(scene: &Bounded, name: &str, path: &str) -> Failure {
    let program = Program::at(env!("CARGO_BIN_EXE_upload-broker"));
    let program = program.with_search_path(Some(path.into()));
    let options = json!({"max_cpu_seconds": 3600});
    let task = Task {
        processor: find("pdf-text").expect("the processor"),
        options: &options,
        inputs: vec![input(pdf(name).await)],
        limits: &scene.limits,
        progress: &scene.progress,
    };
    match child::run(&program, task, &scene.stop).await {
        Err(ChildError::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

/// The options of a rule may allow more CPU time than the worker does.
#[tokio::test]
async fn program_that_needs_more_cpu_time_than_the_worker_allows_fails_for_good() {
    let scene = Bounded::new().limited(|limits| limits.cpu_seconds = 2);
    let failure = failure_of(&scene, "stream-bomb", "/usr/local/bin:/usr/bin:/bin").await;
    assert_eq!(failure.code, "cpu-limit", "{failure:?}");
    assert!(failure.is_permanent, "{failure:?}");
}

/// What a full disk does to the programs says nothing about the document.
#[tokio::test]
async fn program_whose_output_is_cut_off_is_tried_again() {
    for (script, code) in [
        // The output is lost, and the program does not notice.
        ("exit 0", "program"),
        ("echo Title: x", "program"),
        // There is no place for temporary files any more when it ends.
        ("rmdir \"$TMPDIR\"; exit 1", "scratch"),
    ] {
        let scene = Bounded::new();
        let programs = tempfile::tempdir().expect("a folder");
        let pdfinfo = programs.path().join("pdfinfo");
        std::fs::write(&pdfinfo, format!("#!/bin/sh\n{script}\n")).expect("a script");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&pdfinfo, executable).expect("a program");
        let path = format!("{}:/usr/bin:/bin", programs.path().display());
        let failure = failure_of(&scene, "one-page", &path).await;
        assert_eq!(failure.code, code, "{script}: {failure:?}");
        assert!(!failure.is_permanent, "{script}: {failure:?}");
    }
}

#[tokio::test]
async fn programs_end_with_the_bounded_process_however_it_ends() {
    let scene = Bounded::new();
    let folder = scene.folder.path().to_str().expect("UTF-8").to_owned();
    let program = Program::at(env!("CARGO_BIN_EXE_upload-broker"))
        .with_search_path(Some("/usr/local/bin:/usr/bin:/bin".into()));
    let (bomb, options) = (pdf("stream-bomb").await, json!({}));
    let task = Task {
        processor: find("pdf-text").expect("the processor"),
        options: &options,
        inputs: vec![input(bomb)],
        limits: &scene.limits,
        progress: &scene.progress,
    };
    let run = child::run(&program, task, &scene.stop);
    let is_extracting = || {
        processes(&folder)
            .iter()
            .any(|line| line.starts_with("pdftotext "))
    };
    tokio::select! {
        ended = run => panic!("{ended:?}"),
        () = eventually("pdftotext runs", async || is_extracting()) => {}
    }
    // The future is dropped, which kills the bounded process, and nothing else.
    eventually("no process is left", async || processes(&folder).is_empty()).await;
}

#[tokio::test]
async fn worker_without_poppler_leaves_its_jobs_to_others_and_doctor_names_it() {
    let scene = Scene::new().await;
    let folder = scene.folder.path().display().to_string();
    let without = |run: crate::support::process::Run| run.set("PATH", &folder);
    let named = without(scene.worker()).finish().await;
    assert_eq!(named.status.code(), Some(1), "{named:#?}");
    assert!(named.err.contains("pdftotext"), "{named:#?}");
    let mut all = without(scene.worker())
        .unset("BROKER_WORKER_PROCESSORS")
        .spawn();
    all.wait_for_log("jobs of pdf-text are left to other workers")
        .await;
    let upload = scene.upload("one-page").await;
    let plays = scene.caller.upload("/plays/a.csv", "Song\na\n").await;
    scene.wait_for_status(&plays, "Processed").await;
    assert_eq!(scene.job(&upload).await["status"], "Queued");
    let rules = scene.folder.path().join("rules.toml");
    let run = |args: &[&str]| {
        let run = scene.place.run(args);
        run.set("BROKER_PROCESSORS_FILE", rules.display())
    };
    let checked = without(run(&["check-config"])).finish().await.ok();
    assert!(
        checked.err.contains("pdf-text, which needs pdftotext"),
        "{checked:#?}"
    );
    let checked = run(&["check-config"]).finish().await.ok();
    assert!(!checked.err.contains("pdftotext"), "{checked:#?}");
    for (roles, state) in [("http", "warning"), ("http,worker", "failed")] {
        let doctor = without(run(&["doctor", "--json"])).set("BROKER_ROLES", roles);
        let report = doctor.finish().await;
        let line = report
            .out
            .lines()
            .find(|line| line.contains("\"programs\""));
        let line: Value = serde_json::from_str(line.expect("the check")).expect("JSON");
        assert_eq!(line["state"], state, "{line:#}");
        assert!(
            line["fix"].to_string().contains("poppler-utils"),
            "{line:#}"
        );
    }
    all.stop("TERM").await.ok();
    // Another worker has the programs.
    let worker = scene.worker().spawn();
    scene.wait_for_status(&upload, "Processed").await;
    let text = scene.text(&upload, "").await.expect(StatusCode::OK);
    assert_eq!(text["pages"], 1, "{text:#}");
    worker.stop("TERM").await.ok();
}
