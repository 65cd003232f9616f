//! Runs lines in a shell, as a person who pastes them.

use std::process::Stdio;

use tokio::process::Command;

/// Runs the lines in one POSIX shell and returns their output; fails when a line fails.
pub async fn paste(lines: &[String]) -> String {
    let mut command = Command::new("sh");
    command
        .args(["-e", "-c", &lines.join("\n")])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.expect("sh");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{lines:#?}\n{printed}\n{errors}");
    printed
}
