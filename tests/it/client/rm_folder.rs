//! `rm -r` asks for confirmation at a terminal, and needs `--yes` without one.

use tokio::process::Command;

use super::scene::{Scene, lines};

/// Runs the command at a terminal with this input.
async fn at_terminal(scene: &Scene, args: &str, typed: &str) -> (Option<i32>, String) {
    let bin = env!("CARGO_BIN_EXE_upload-broker");
    let mut script = Command::new("script");
    script
        .args(["-qec", &format!("{bin} {args}"), "/dev/null"])
        .env("UPLOAD_BROKER_URL", &scene.app.url)
        .env("UPLOAD_BROKER_KEY", &scene.app.key)
        .env("HOME", scene.folder())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true);
    let mut child = script.spawn().expect("script, of util-linux");
    let mut keys = child.stdin.take().expect("a pipe");
    tokio::io::AsyncWriteExt::write_all(&mut keys, typed.as_bytes())
        .await
        .expect("a terminal");
    // The pipe stays open, as a terminal does.
    let output = child.wait_with_output().await.expect("its end");
    drop(keys);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), said)
}

#[tokio::test]
async fn rm_recursive_needs_yes_without_terminal() {
    let scene = Scene::new().await;
    for path in ["/old/a", "/old/deep/b", "/old-2", "/new"] {
        scene.dataset(path, b"1").await;
    }
    let ended = scene.end(&["rm", "-r", "/old"]).await;
    ended.expect_failure(2, &["without a terminal", "--yes"]);
    scene
        .end(&["rm", "--yes", "/old/a"])
        .await
        .expect_failure(2, &["--recursive"]);
    let ended = scene
        .end(&["rm", "-r", "--yes", "--json", "/old"])
        .await
        .ok();
    assert_eq!(lines(&ended.out).len(), 2, "{ended:#?}");
    let left = scene.end(&["ls", "-r"]).await.ok();
    assert_eq!(left.out, "/new\n/old-2\n");
    let none = scene.end(&["rm", "-r", "-y", "/old"]).await;
    none.expect_failure(5, &["there is no dataset below /old/"]);
    scene
        .end(&["rm", "-r", "-y", "/a/../new"])
        .await
        .expect_failure(2, &["is not a folder"]);
}

#[tokio::test]
async fn rm_recursive_asks_for_confirmation_at_terminal() {
    let scene = Scene::new().await;
    for path in ["/old/a", "/old/b"] {
        scene.dataset(path, b"1234").await;
    }
    let question = "Delete 2 datasets (8 B) below /old/? [y/N]";
    for no in ["n\n", "\n", "maybe\n"] {
        let (code, said) = at_terminal(&scene, "rm -r /old", no).await;
        assert!(said.contains(question), "{said}");
        assert!(said.contains("nothing was deleted"), "{said}");
        assert_eq!(code, Some(1), "{said}");
    }
    assert_eq!(scene.end(&["ls", "-r"]).await.ok().out, "/old/a\n/old/b\n");
    let (code, said) = at_terminal(&scene, "rm -r /old", "y\n").await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(scene.end(&["ls", "-r"]).await.ok().out, "");
}

/// A dataset that cannot be deleted does not stop the others.
#[tokio::test]
async fn rm_recursive_keeps_drifted_dataset_and_deletes_the_rest() {
    let scene = Scene::new().await;
    for path in ["/old/a", "/old/b", "/old/c"] {
        scene.dataset(path, b"1").await;
    }
    scene.app.bucket.put("old/b", "another one").await;
    let ended = scene.end(&["rm", "-r", "--yes", "/old"]).await;
    ended.expect_failure(6, &["/old/b", "dataset-drifted"]);
    assert_eq!(scene.end(&["ls", "-r"]).await.ok().out, "/old/b\n");
}
