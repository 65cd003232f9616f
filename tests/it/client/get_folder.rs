//! `get -r` downloads everything below a path into one folder, and writes nowhere else.

use std::os::unix::fs::symlink;

use serde_json::json;

use super::scene::{Scene, lines, noise};

#[tokio::test]
async fn get_recursive_downloads_folder_and_skips_present_files() {
    let scene = Scene::new().await;
    let large = noise(61, 3_000_000);
    scene.dataset("/data/a.csv", b"1").await;
    scene.dataset("/data/deep/c d.bin", &large).await;
    scene.dataset("/data-2/b", b"2").await;
    let ended = scene
        .end(&["get", "-r", "--json", "/data", "to"])
        .await
        .ok();
    let rows = lines(&ended.out);
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert!(
        rows.iter().all(|row| row["level"] == "checksum"),
        "{rows:#?}"
    );
    assert_eq!(scene.read("to/a.csv"), b"1");
    assert!(scene.read("to/deep/c d.bin") == large);

    // The second run finds every file present.
    scene.proxy.take();
    let rows = lines(
        &scene
            .end(&["get", "-r", "--json", "data/", "to/"])
            .await
            .ok()
            .out,
    );
    assert!(rows.iter().all(|row| row["already"] == true), "{rows:#?}");
    assert_eq!(scene.proxy.take().asked, "", "bytes were asked for again");

    // A folder under its own name, and the whole tenant.
    scene.end(&["get", "-r", "/data/"]).await.ok();
    assert_eq!(scene.read("data/a.csv"), b"1");
    scene.end(&["get", "-r", "/", "all"]).await.ok();
    assert_eq!(scene.read("all/data-2/b"), b"2");
    scene
        .end(&["get", "-r", "/"])
        .await
        .expect_failure(2, &["give the local folder"]);
    scene
        .end(&["get", "-r", "/none", "x"])
        .await
        .expect_failure(5, &["there is no dataset below /none/"]);
    assert!(!scene.folder().join("x").exists());
    scene
        .end(&["get", "-r", "/data", "-"])
        .await
        .expect_failure(2, &["standard output"]);
    scene
        .end(&["get", "/data/"])
        .await
        .expect_failure(2, &["-r"]);
}

#[tokio::test]
async fn get_recursive_replaces_different_file_only_with_force() {
    let scene = Scene::new().await;
    scene.dataset("/data/a", b"new").await;
    scene.dataset("/data/b", b"2").await;
    scene.write("to/a", b"old");
    let ended = scene.end(&["get", "-r", "/data", "to"]).await;
    ended.expect_failure(
        6,
        &["to/a already exists and has different bytes", "--force"],
    );
    assert_eq!(scene.read("to/a"), b"old");
    assert_eq!(scene.read("to/b"), b"2");
    scene.end(&["get", "-r", "-f", "/data", "to"]).await.ok();
    assert_eq!(scene.read("to/a"), b"new");
}

/// Other programs choose the keys in the bucket and the links in the folder.
#[tokio::test]
async fn get_recursive_follows_no_links_out_of_the_folder() {
    let scene = Scene::new().await;
    for key in ["data/link/x", "data/in", "data/file", "data/ok/y"] {
        scene.app.bucket.put(key, "from the bucket").await;
    }
    scene.write("outside/x", b"mine");
    std::fs::create_dir_all(scene.folder().join("to")).expect("a folder");
    symlink("../outside", scene.folder().join("to/link")).expect("a link");
    symlink("../outside/x", scene.folder().join("to/file")).expect("a link");
    let ended = scene
        .end(&["get", "-r", "-f", "--json", "/data", "to"])
        .await;
    let rows = lines(&ended.out);
    ended.expect_failure(
        1,
        &["to/link is a symbolic link", "to/file is a symbolic link"],
    );
    assert_eq!(scene.read("outside/x"), b"mine");
    assert_eq!(scene.read("to/ok/y"), b"from the bucket");
    assert_eq!(scene.read("to/in"), b"from the bucket");
    let outside = std::fs::read_dir(scene.folder().join("outside")).expect("a folder");
    assert_eq!(outside.count(), 1);
    assert_eq!(rows.len(), 4, "{rows:#?}");
}

/// A key that has no path is listed, and every other command skips it.
#[tokio::test]
async fn keys_without_path_are_listed_and_skipped_by_all_commands() {
    let scene = Scene::new().await;
    scene.dataset("/n.csv", b"ours").await;
    scene.dataset("/data/a", b"another").await;
    for key in ["/n.csv", "data//b", "data/../n.csv", "data/x/"] {
        scene.app.bucket.put(key, "another").await;
    }
    let listed = scene.end(&["ls", "-r"]).await.ok();
    for line in ["(no path) /n.csv\n", "(no path) data//b\n", "/n.csv\n"] {
        assert!(listed.out.contains(line), "{line:?} in {listed:#?}");
    }
    assert!(
        listed.err.contains("4 of these have no path"),
        "{listed:#?}"
    );
    let long = scene.end(&["ls", "-r", "-l"]).await.ok();
    assert!(
        long.out.contains("no-path     (no path) data//b"),
        "{long:#?}"
    );
    let rows = lines(&scene.end(&["ls", "-r", "--json"]).await.ok().out);
    let marked: Vec<_> = rows
        .iter()
        .filter(|row| row["path"] == json!(null))
        .collect();
    assert_eq!(marked.len(), 4, "{rows:#?}");
    assert!(
        marked.iter().all(|row| row["addressable"] == false),
        "{rows:#?}"
    );

    let ended = scene.end(&["get", "-r", "/", "to"]).await;
    ended.expect_failure(
        1,
        &["warning: data//b: its key is not a valid path", "skipped"],
    );
    assert_eq!(scene.read("to/n.csv"), b"ours");
    assert_eq!(scene.read("to/data/a"), b"another");
    let ended = scene.end(&["sync", "/data", "synced"]).await;
    ended.expect_failure(1, &["warning: data//b: its key is not a valid path"]);
    assert_eq!(scene.read("synced/a"), b"another");
    let ended = scene.end(&["rm", "-r", "--yes", "/data"]).await;
    ended.expect_failure(1, &["warning: data//b: its key is not a valid path"]);
    for command in ["get", "rm"] {
        let ended = scene.end(&[command, "//n.csv"]).await;
        ended.expect_failure(2, &["single slash"]);
    }
    // No object was confused with another.
    assert_eq!(scene.stored("/n.csv").await, b"ours");
    for key in ["/n.csv", "data//b", "data/../n.csv", "data/x/"] {
        assert!(scene.app.bucket.head(key).await.is_some(), "{key}");
    }
    assert!(scene.app.bucket.head("data/a").await.is_none());
}

#[tokio::test]
async fn get_rejects_too_long_file_name_before_download() {
    let scene = Scene::new().await;
    let long = "n".repeat(256);
    scene.app.bucket.put(&format!("data/{long}"), "1").await;
    scene.app.bucket.put("data/short", "2").await;
    let ended = scene.end(&["get", &format!("/data/{long}")]).await;
    ended.expect_failure(2, &["limited to 255 bytes"]);
    assert_eq!(scene.proxy.take().asked, "");
    let path = format!("/data/{long}");
    scene.end(&["get", &path, "other"]).await.ok();
    assert_eq!(scene.read("other"), b"1");
    let ended = scene.end(&["get", "-r", "/data", "to"]).await;
    ended.expect_failure(1, &["limited to 255 bytes"]);
    assert_eq!(scene.read("to/short"), b"2");
}
