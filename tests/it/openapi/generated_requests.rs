//! schemathesis generates valid and invalid requests from the document. Every answer must be one
//! that the document describes, and none may be a 5xx.

use std::path::Path;
use std::process::Stdio;

use crate::dev::stack::Stack;
use crate::support::{options, venv};

/// The default number of requests for each operation, which takes about 15 seconds.
/// `SCHEMATHESIS_EXAMPLES` overrides it.
const EXAMPLES: u32 = 25;

#[tokio::test]
async fn every_answer_to_generated_requests_matches_the_document() {
    let stack = Stack::new();
    let running = stack.start(&[]).await;
    // There is a dataset at the path that the document uses as its example.
    running
        .caller
        .upload("/data/employees.csv", "id\n1\n")
        .await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = tokio::process::Command::new(venv("schemathesis"));
    command
        .arg("--config-file")
        .arg(folder.join("tests/schemathesis.toml"))
        .args([
            "run",
            "--checks",
            "all",
            "--no-color",
            "--continue-on-failure",
        ])
        .args(["--max-examples", &options::examples(EXAMPLES).to_string()])
        .args(["--seed", &options::seed(1).to_string()])
        .args([
            "--header",
            &format!("Authorization: Bearer {}", running.caller.key),
        ])
        .args(["--url", &running.caller.url])
        .arg(folder.join("openapi.yaml"))
        .env(
            "SCHEMATHESIS_HOOKS",
            folder.join("tests/schemathesis_hooks.py"),
        )
        // schemathesis keeps its results in the current folder.
        .current_dir(stack.state().parent().expect("its folder"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.expect("schemathesis");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let log = running.process.log();
    assert!(!log.contains("panicked"), "{log}");
    running.process.stop("INT").await.ok();
}
