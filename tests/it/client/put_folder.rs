//! `put` of folders with unreadable entries, and of bytes that the store already has.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use serde_json::Value;

use super::scene::{Scene, lines};

/// The row of a path in the output.
#[track_caller]
fn row<'a>(rows: &'a [Value], path: &str) -> &'a Value {
    let mut rows = rows.iter().filter(|row| row["path"] == path);
    rows.next()
        .unwrap_or_else(|| panic!("no {path} in {rows:#?}"))
}

#[tokio::test]
async fn put_skips_unreadable_entries_and_uploads_the_rest() {
    let scene = Scene::new().await;
    scene.write("d/a", b"1");
    scene.write("d/deep/b", b"2");
    let folder = scene.folder().join("d");
    symlink("nowhere", folder.join("dangling")).expect("a link");
    symlink("..", folder.join("deep/loop")).expect("a link");
    symlink("itself", folder.join("itself")).expect("a link");
    std::fs::write(folder.join(OsStr::from_bytes(b"\xffname")), "3").expect("a file");
    let pipe = std::process::Command::new("mkfifo")
        .arg(folder.join("pipe"))
        .status();
    assert!(pipe.expect("mkfifo").success());
    // The target of a link is uploaded like any file.
    scene.write("other", b"4");
    symlink("../other", folder.join("linked")).expect("a link");

    let ended = scene.end(&["put", "--json", "d", "/d"]).await;
    let rows = lines(&ended.out);
    let texts = [
        "warning: d/dangling: is a broken link: skipped",
        "warning: d/deep/loop: is a link to one of its parent folders",
        "warning: d/itself: cannot be read",
        "warning: d/pipe: is not a regular file",
        "its name is not UTF-8",
    ];
    ended.expect_failure(1, &texts);
    for (path, bytes) in [("/d/a", "1"), ("/d/deep/b", "2"), ("/d/linked", "4")] {
        assert_eq!(row(&rows, path)["status"], "Uploaded", "{rows:#?}");
        assert_eq!(scene.stored(path).await, bytes.as_bytes());
    }
    let left_out = rows.iter().filter(|row| row["error"]["code"] == "left-out");
    assert_eq!(left_out.count(), 5, "{rows:#?}");
    assert_eq!(rows.len(), 8, "{rows:#?}");
}

#[tokio::test]
async fn put_succeeds_without_sending_when_dataset_has_same_bytes() {
    let scene = Scene::new().await;
    scene.write("a", b"the same");
    scene.end(&["put", "a", "/a"]).await.ok();
    for args in [
        &["put", "a", "/a"][..],
        &["put", "--skip-existing", "a", "/a"],
        &["put", "--skip-existing", "--overwrite", "a", "/a"],
    ] {
        scene.proxy.take();
        let ended = scene.end(args).await.ok();
        let said = "/a  a (8 B, CRC64NVME matches, already uploaded)\n";
        assert_eq!(ended.out, said, "{args:?}");
        assert_eq!(scene.proxy.take().puts, [0; 0], "{args:?}");
    }
    let rows = scene.end(&["put", "--json", "a", "/a"]).await.ok().json();
    assert_eq!(rows["already"], true, "{rows:#}");
    assert_eq!(rows["status"], "Uploaded", "{rows:#}");
    assert_eq!(scene.uploads("/a").await.len(), 1);
    assert_eq!(scene.remembered(), 0);

    // Other bytes of the same size.
    scene.write("a", b"THE SAME");
    scene
        .end(&["put", "a", "/a"])
        .await
        .expect_failure(6, &["dataset-exists"]);
    let skipping = scene.end(&["put", "--skip-existing", "a", "/a"]).await;
    skipping.expect_failure(6, &["a dataset with different bytes exists"]);
    assert_eq!(scene.stored("/a").await, b"the same");
    let replacing = ["put", "--skip-existing", "--overwrite", "a", "/a"];
    scene.end(&replacing).await.ok();
    assert_eq!(scene.stored("/a").await, b"THE SAME");
}

/// A folder for the second time: present files are skipped, new ones are uploaded.
#[tokio::test]
async fn put_of_same_folder_uploads_only_new_files() {
    let scene = Scene::new().await;
    for name in ["d/a", "d/b", "d/c"] {
        scene.write(name, name.as_bytes());
    }
    scene.end(&["put", "d", "/d"]).await.ok();
    scene.write("d/new", b"new");
    for args in [
        &["put", "--json", "d", "/d"][..],
        &["put", "--json", "--skip-existing", "d", "/d"],
    ] {
        let rows = lines(&scene.end(args).await.ok().out);
        assert_eq!(rows.len(), 4, "{rows:#?}");
        assert_eq!(row(&rows, "/d/a")["already"], true, "{rows:#?}");
        scene.end(&["rm", "/d/new"]).await.ok();
    }
}

/// In a store without checksums the bytes cannot be compared, so they do not count as the same.
#[tokio::test]
async fn put_does_not_skip_dataset_without_comparable_checksum() {
    let scene = Scene::with_other_store().await;
    scene.write("a", b"1");
    scene
        .end(&["put", "--checksum", "none", "a", "/a"])
        .await
        .ok();
    let again = ["put", "--checksum", "none", "a", "/a"];
    scene
        .end(&again)
        .await
        .expect_failure(6, &["dataset-exists"]);
    let skipping = ["put", "--skip-existing", "a", "/a"];
    scene
        .end(&skipping)
        .await
        .expect_failure(6, &["cannot be compared"]);
}

/// One request creates the sessions, and batches acknowledge them.
#[tokio::test]
async fn put_acknowledges_small_files_in_batches() {
    let scene = Scene::new().await;
    for number in 0..100 {
        scene.write(&format!("d/{number:03}"), format!("{number}").as_bytes());
    }
    scene.dataset("/in/d/050", b"another").await;
    let ended = scene.end(&["put", "--json", "d", "/in/"]).await;
    let rows = lines(&ended.out);
    ended.expect_failure(6, &["error: d/050: ", "dataset-exists"]);
    let proven = rows.iter().filter(|row| row["level"] == "checksum");
    assert_eq!(proven.count(), 99);
    let requests = async |method: &str, route: &str| {
        let labels = format!(r#"method="{method}",route="{route}",status="2xx""#);
        let name = format!("http_request_duration_seconds_count{{{labels}}}");
        scene.app.metric(&name).await
    };
    assert_eq!(requests("POST", "/uploads/batch").await, 1.0);
    assert!(requests("POST", "/uploads/batch/acknowledge").await >= 1.0);
    let alone = requests("POST", "/uploads/{id}/acknowledge").await;
    assert_eq!(alone, 1.0, "only the dataset that stood there before");
    assert_eq!(scene.remembered(), 0);
}
