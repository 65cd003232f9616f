//! What survives a stop, a kill and a second start of the embedded stack.

use std::path::Path;

use reqwest::StatusCode;

use super::stack::Stack;
use crate::support::process::{TIMEOUT, is_running};

/// Waits until a process has ended.
async fn wait_until_gone(id: u32) {
    let watch = async {
        while is_running(id) {
            tokio::task::yield_now().await;
        }
    };
    let gone = tokio::time::timeout(TIMEOUT, watch).await;
    assert!(gone.is_ok(), "process {id} is still there");
}

#[tokio::test]
async fn state_survives_restart_and_fresh_deletes_it() {
    let stack = Stack::new();
    let first = stack.start(&[]).await;
    let upload = first.caller.upload("/data/kept.csv", "kept").await;
    let postgres = stack.postgres().expect("a Postgres");
    first.process.stop("INT").await.ok();
    assert!(!is_running(postgres), "Postgres outlives the stack");

    let second = stack.start(&[]).await;
    assert_eq!(second.caller.key, first.caller.key);
    let path = format!("/uploads/{}", upload["id"].as_str().expect("an id"));
    let read = second.caller.get(&path).await.expect(StatusCode::OK);
    assert_eq!(read, upload);
    let list = second.caller.get("/datasets").await.expect(StatusCode::OK);
    assert_eq!(list[0]["path"], "/data/kept.csv", "{list:#}");
    let secret = std::fs::metadata(stack.state().join("api-key")).expect("the key's file");
    let mode = std::os::unix::fs::PermissionsExt::mode(&secret.permissions());
    assert_eq!(mode & 0o077, 0, "others can read the key");
    second.process.stop("TERM").await.ok();

    let fresh = stack.start_as(stack.run(&["--fresh"])).await;
    assert_ne!(fresh.caller.key, first.caller.key);
    fresh
        .caller
        .get(&path)
        .await
        .expect_problem(404, "upload-not-found");
    let list = fresh.caller.get("/datasets").await.expect(StatusCode::OK);
    assert_eq!(list, serde_json::json!([]));
    fresh.process.stop("INT").await.ok();
}

/// Also with `--fresh`: the state of a running stack must not be deleted.
#[tokio::test]
async fn second_start_in_same_folder_is_rejected() {
    let stack = Stack::new();
    let first = stack.start(&[]).await;
    first.caller.upload("/data/a.csv", "x").await;
    for args in [&[][..], &["--fresh"]] {
        let second = stack.run(args).finish().await;
        second.expect_failure(1, &["already runs", "BROKER_DEV_DIR", "BROKER_BIND"]);
    }
    first.caller.upload("/data/b.csv", "y").await;
    let list = first.caller.get("/datasets").await.expect(StatusCode::OK);
    assert_eq!(list.as_array().map(Vec::len), Some(2), "{list:#}");
    first.process.stop("INT").await.ok();
}

/// Another folder, the same ports: the error names the port, and no Postgres keeps running.
#[tokio::test]
async fn port_in_use_is_reported_and_no_postgres_is_left() {
    let first = Stack::new();
    let running = first.start(&[]).await;
    let bind = running.caller.url.trim_start_matches("http://").to_owned();
    for (variable, taken) in [("BROKER_BIND", &bind), ("BROKER_DEV_S3_BIND", &bind)] {
        let second = Stack::new();
        let ended = second.run(&[]).set(variable, taken).finish().await;
        ended.expect_failure(1, &[taken, "in use", variable]);
        assert_eq!(second.postgres(), None, "a Postgres is left");
    }
    running.caller.get("/datasets").await.expect_ok();
    running.process.stop("INT").await.ok();
}

#[tokio::test]
async fn killed_stack_leaves_no_postgres_and_starts_again() {
    let stack = Stack::new();
    let first = stack.start(&[]).await;
    let upload = first.caller.upload("/data/kept.csv", "kept").await;
    let postgres = stack.postgres().expect("a Postgres");
    let killed = first.process.stop("KILL").await;
    assert_eq!(killed.status.code(), None, "{killed:#?}");

    // At once, while the old Postgres may still be shutting down.
    let second = stack.start(&[]).await;
    assert!(!is_running(postgres), "the old Postgres is still there");
    let path = format!("/uploads/{}", upload["id"].as_str().expect("an id"));
    let read = second.caller.get(&path).await.expect(StatusCode::OK);
    assert_eq!(read, upload);
    let download = "/datasets/data/kept.csv/action/download?redirect=false";
    let url = second.caller.get(download).await.expect(StatusCode::OK);
    let bytes = reqwest::get(url["url"].as_str().expect("a URL"))
        .await
        .expect("an answer");
    assert_eq!(bytes.text().await.expect("bytes"), "kept");

    let postgres = stack.postgres().expect("a Postgres");
    second.process.stop("KILL").await;
    wait_until_gone(postgres).await;
}

/// A folder that holds other files is not used, and is never deleted.
#[tokio::test]
async fn folder_with_other_files_is_not_used_or_deleted() {
    let stack = Stack::new();
    std::fs::create_dir(stack.state()).expect("a folder");
    let file = stack.state().join("thesis.tex");
    std::fs::write(&file, "years of work").expect("a file");
    let ended = stack.run(&["--fresh"]).finish().await;
    ended.expect_failure(1, &["not empty", "BROKER_DEV_DIR"]);
    assert!(Path::new(&file).exists());
}

/// Without the server programs of Postgres, the error says what to install.
#[tokio::test]
async fn missing_postgres_is_reported_with_install_command() {
    let stack = Stack::new();
    let ended = stack.run(&[]).set("PG_BIN", "/nonexistent").finish().await;
    ended.expect_failure(1, &["apt-get install postgresql", "DATABASE_URL"]);
}
