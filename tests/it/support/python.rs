//! Other people's clients: Python with boto3 and requests, from the virtual environment.

use std::process::Command;

use super::venv;

/// Runs Python to its end and returns what it printed; fails with all that it said.
///
/// Blocks the calling thread. A test whose server runs on the same thread calls it from
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
