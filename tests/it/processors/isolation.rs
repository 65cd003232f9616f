//! What a bounded process has of the broker, and that it does not outlive it.

use std::pin::Pin;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use super::scene::Scene;
use crate::support::observe::eventually;
use crate::support::process::{Run, is_running, signal};

#[tokio::test]
async fn process_has_no_environment_of_the_broker() {
    let scene = Scene::new();
    let done = scene.run(json!("environment"), vec![]).await;
    let folder = scene.folder.path().display();
    let environment = String::from_utf8(done.bytes).expect("UTF-8");
    assert_eq!(environment, format!("TMPDIR={folder}\0"));
}

/// The files that the process of the tests itself was started with, and passes on: those without the
/// flag O_CLOEXEC, see proc(5).
fn inherited_files() -> Vec<String> {
    let files = std::fs::read_dir("/proc/self/fd").expect("the open files");
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let passed_on = names.filter(|name| {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{name}"));
        let flags = info.unwrap_or_default();
        let flags = flags.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u64::from_str_radix(flags.trim(), 8).ok());
        flags.is_some_and(|flags| flags & 0o2_000_000 == 0)
    });
    passed_on
        .filter_map(|name| std::fs::read_link(format!("/proc/self/fd/{name}")).ok())
        .map(|target| target.display().to_string())
        .collect()
}

#[tokio::test]
async fn process_inherits_only_its_three_streams() {
    let scene = Scene::new();
    // A connection and a file that the child must not see.
    let _listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let _file = tempfile::tempfile().expect("a file");
    let done = scene.run(json!("descriptors"), vec![]).await;
    let listed = String::from_utf8(done.bytes).expect("UTF-8");
    let folder = scene.folder.path().display().to_string();
    let inherited = inherited_files();
    for line in listed.lines() {
        let is_stream = line.starts_with("pipe:") || line.starts_with(&folder);
        let is_known = is_stream || line.ends_with("/fd") || inherited.contains(&line.to_owned());
        assert!(is_known, "{line}: {listed}");
    }
}

/// The kernel signals a child when the thread that started it ends. A thread of a runtime may end
/// while the process goes on.
#[test]
fn process_outlives_the_thread_that_waited_for_its_start() {
    let scene: &'static Scene = Box::leak(Box::new(Scene::new()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let handle = runtime.handle().clone();
    let starter = std::thread::spawn(move || {
        let mut run: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(scene.run(json!({"sleep": 1_000}), vec![]));
        handle.block_on(async {
            let started = eventually("the process", async || !scene.children().is_empty());
            tokio::select! {
                done = &mut run => panic!("{done:?}"),
                () = started => {}
            }
        });
        run
    });
    let run = starter.join().expect("a process that runs");
    let done = runtime.block_on(run);
    assert_eq!(done.report, json!(null));
}

#[tokio::test]
async fn process_ends_when_its_parent_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    // The shell is the parent; its own id is `$$`.
    let script =
        r#""$0" process trial --options '{"sleep":600000}' --scratch "$1" --parent $$ & wait"#;
    let mut shell = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_upload-broker")])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let scene = Scene {
        folder,
        ..Scene::new()
    };
    let shell_id = shell.id();
    let child = || {
        scene
            .children()
            .into_iter()
            .find(|id| *id != shell_id && is_limited(*id))
    };
    eventually("the process", async || child().is_some()).await;
    let id = child().expect("the process");
    signal("KILL", shell_id);
    shell.wait().expect("its end");
    eventually("the end of the process", async || !is_running(id)).await;
    scene.assert_empty();
}

/// Whether the process has set its limits, and so asked for the signal before them.
fn is_limited(id: u32) -> bool {
    let limits = std::fs::read_to_string(format!("/proc/{id}/limits")).unwrap_or_default();
    let mut lines = limits.lines();
    lines.any(|line| line.starts_with("Max address space") && !line.contains("unlimited"))
}

#[tokio::test]
async fn process_does_not_start_if_its_parent_has_ended() {
    let run = Run::new(&["process", "trial", "--options", "\"echo\"", "--parent", "1"]);
    let ended = tokio::time::timeout(Duration::from_secs(60), run.stdin(b"x").finish()).await;
    let ended = ended.expect("its end");
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.out, "");
    assert!(
        ended.err.contains("the parent process has ended"),
        "{}",
        ended.err
    );
}
