//! Clients in Python, with boto3 and requests, from the virtual environment.

use std::process::Command;

use super::venv;

/// Runs Python and returns its standard output. Fails with its whole output if it does not exit successfully.
///
/// It blocks the calling thread, so a test whose server runs on the same thread must call it from
/// `spawn_blocking`.
pub fn run(args: &[&str], settings: &[(&str, String)]) -> String {
    let output = Command::new(venv("python3"))
        .args(args)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(settings.iter().map(|(name, value)| (*name, value.as_str())))
        .output()
        .expect("Python");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "Python ended with {}:\n{printed}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}
