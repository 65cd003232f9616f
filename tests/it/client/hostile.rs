//! Names with control characters never reach a terminal unescaped.

use super::scene::{Scene, lines};
use crate::support::process::FinishedProcess;

/// C0, DEL and C1 characters, and a right-to-left override.
const HOSTILE: &str = "\u{1b}[2J\u{7f}\u{9b}31m\u{202e}";

#[track_caller]
fn assert_no_control_characters(ended: &FinishedProcess) {
    for text in [&ended.out, &ended.err] {
        let raw = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        let found: Vec<_> = text.chars().filter(raw).collect();
        assert!(found.is_empty(), "{found:?} in {ended:#?}");
    }
}

#[tokio::test]
async fn every_command_escapes_control_characters() {
    let scene = Scene::new().await;
    let name = format!("x{HOSTILE}");
    scene.write(&name, b"1");
    scene.write(&format!("d/{name}"), b"1");
    std::os::unix::fs::symlink("nowhere", scene.folder().join(format!("d/l{name}")))
        .expect("a link");
    let key = format!("data/{name}");
    let path = format!("/{key}");
    scene.app.bucket.put(&key, "1").await;
    let to = format!("to{HOSTILE}");
    for args in [
        &["ls", "-r"][..],
        &["ls", "-l", "-r"],
        &["ls", "-r", "/nothing\u{9b}"],
        &["get", &path],
        &["get", "-r", "/data", &to],
        &["get", "-r", "/data", &to],
        &["get", &format!("/none{HOSTILE}")],
        &["rm", &format!("/none{HOSTILE}")],
        &["rm", &format!("/{HOSTILE}/")],
        &["rm", "-r", "-y", &format!("/{HOSTILE}/../x")],
        &["put", &name, "/in/"],
        &["put", "d", "/in/"],
        &["put", &format!("none{HOSTILE}"), "/in/"],
        &["sync", "d", "/in"],
        &["sync", &format!("none{HOSTILE}"), "/in"],
        &["sync", "/data", &to],
        &["status", &format!("/none{HOSTILE}")],
    ] {
        assert_no_control_characters(&scene.end(args).await);
        let json = [args, &["--json"]].concat();
        let ended = scene.end(&json).await;
        // JSON may hold such characters, but only escaped.
        let raw: Vec<_> = ended
            .out
            .chars()
            .filter(|c| c.is_control() && *c != '\n')
            .collect();
        assert!(raw.is_empty(), "{raw:?} in {ended:#?}");
        lines(&ended.out);
    }
}
