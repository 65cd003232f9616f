//! `sync` makes one side equal to the other.

use std::os::unix::fs::symlink;

use super::scene::{Scene, lines, noise};
use crate::support::process::FinishedProcess;

/// The transferred (`+`) and deleted (`-`) paths, without those that stayed.
fn changes(ended: &FinishedProcess) -> Vec<String> {
    let mut done: Vec<_> = (lines(&ended.out).iter())
        .map(|row| {
            let name = row["path"]
                .as_str()
                .or(row["file"].as_str())
                .expect("a name");
            let deleted = row["deleted"] == true || row["action"] == "delete";
            format!("{}{name}", if deleted { "-" } else { "+" })
        })
        .collect();
    done.sort();
    done
}

#[tokio::test]
async fn sync_up_transfers_folder_and_then_only_changes() {
    let scene = Scene::new().await;
    for name in ["d/a", "d/a.txt", "d/deep/b", "d/deep/c"] {
        scene.write(name, name.as_bytes());
    }
    let sync = ["sync", "--json", "d", "/in"];
    let ended = scene.end(&sync).await.ok();
    let all = ["+/in/a", "+/in/a.txt", "+/in/deep/b", "+/in/deep/c"];
    assert_eq!(changes(&ended), all, "{ended:#?}");
    let ended = scene.end(&sync).await.ok();
    assert_eq!(ended.out, "", "{ended:#?}");
    assert!(
        ended.err.contains("4 the same, 0 to transfer"),
        "{ended:#?}"
    );

    // Another size, other bytes of the same size, a new file; and a dataset that only the broker has.
    scene.write("d/a", b"longer than before");
    scene.write("d/deep/b", b"D/DEEP/B");
    scene.write("d/new", b"new");
    scene.dataset("/in/theirs", b"1").await;
    let ended = scene.end(&sync).await.ok();
    assert_eq!(
        changes(&ended),
        ["+/in/a", "+/in/deep/b", "+/in/new"],
        "{ended:#?}"
    );
    assert_eq!(scene.stored("/in/deep/b").await, b"D/DEEP/B");
    assert_eq!(scene.stored("/in/theirs").await, b"1");
}

#[tokio::test]
async fn sync_up_deletes_extra_datasets_only_with_delete() {
    let scene = Scene::new().await;
    scene.write("d/a", b"1");
    for path in ["/in/a", "/in/old/b", "/in-2/c"] {
        scene.dataset(path, b"1").await;
    }
    let plan = ["sync", "--json", "--delete", "--dry-run", "d", "/in"];
    let ended = scene.end(&plan).await.ok();
    assert_eq!(changes(&ended), ["-/in/old/b"], "{ended:#?}");
    assert_eq!(scene.stored("/in/old/b").await, b"1");
    let ended = scene
        .end(&["sync", "--json", "--delete", "d", "/in"])
        .await
        .ok();
    assert_eq!(changes(&ended), ["-/in/old/b"], "{ended:#?}");
    assert_eq!(scene.end(&["ls", "-r"]).await.ok().out, "/in-2/c\n/in/a\n");
}

/// A local file that cannot be read still exists: no dataset is deleted for it.
#[tokio::test]
async fn sync_deletes_nothing_when_local_folder_is_unreadable_or_empty() {
    let scene = Scene::new().await;
    scene.write("d/a", b"1");
    symlink("nowhere", scene.folder().join("d/linked")).expect("a link");
    scene.dataset("/in/linked", b"2").await;
    scene.dataset("/in/other", b"3").await;
    let ended = scene.end(&["sync", "--delete", "d", "/in"]).await;
    ended.expect_failure(1, &["d/linked: is a broken link", "nothing was deleted"]);
    let left = scene.end(&["ls", "-r"]).await.ok();
    assert_eq!(left.out, "/in/a\n/in/linked\n/in/other\n");
    // Nothing is deleted for an empty folder either: a mount may be missing.
    std::fs::create_dir(scene.folder().join("empty")).expect("a folder");
    let ended = scene.end(&["sync", "--delete", "empty", "/in"]).await;
    ended.expect_failure(1, &["nothing was deleted", "is empty"]);
    assert_eq!(scene.end(&["ls", "-r"]).await.ok().out, left.out);
}

#[tokio::test]
async fn sync_down_transfers_datasets_and_then_only_changes() {
    let scene = Scene::new().await;
    let large = noise(71, 2_000_000);
    scene.dataset("/out/a", b"1").await;
    scene.dataset("/out/deep/b", &large).await;
    let sync = ["sync", "--json", "/out", "to"];
    let ended = scene.end(&sync).await.ok();
    assert_eq!(changes(&ended), ["+/out/a", "+/out/deep/b"], "{ended:#?}");
    assert!(scene.read("to/deep/b") == large);
    scene.proxy.take();
    assert_eq!(scene.end(&sync).await.ok().out, "");
    assert_eq!(scene.proxy.take().asked, "", "bytes were asked for again");

    scene.write("to/a", b"2");
    scene.write("to/mine/c", b"mine");
    let ended = scene.end(&sync).await.ok();
    assert_eq!(changes(&ended), ["+/out/a"], "{ended:#?}");
    assert_eq!(scene.read("to/a"), b"1");
    assert_eq!(scene.read("to/mine/c"), b"mine");

    let plan = ["sync", "--json", "-n", "--delete", "/out", "to"];
    let ended = scene.end(&plan).await.ok();
    assert_eq!(changes(&ended), ["-to/mine/c"], "{ended:#?}");
    assert_eq!(scene.read("to/mine/c"), b"mine");
    symlink("../a-link-out", scene.folder().join("to/link")).expect("a link");
    let ended = scene
        .end(&["sync", "--json", "--delete", "/out", "to"])
        .await
        .ok();
    assert_eq!(changes(&ended), ["-to/mine/c"], "{ended:#?}");
    assert!(!scene.folder().join("to/mine").exists());
    assert!(scene.folder().join("to/link").is_symlink());
    // A path without datasets is taken for a typing error, not for an order to delete everything.
    let none = scene.end(&["sync", "--delete", "/nothing", "to"]).await;
    none.expect_failure(5, &["there is no dataset below /nothing/"]);
    assert_eq!(scene.read("to/a"), b"1");
}

#[tokio::test]
async fn sync_applies_include_and_exclude_patterns_on_both_sides() {
    let scene = Scene::new().await;
    for name in [
        "d/a.csv",
        "d/a.tmp",
        "d/raw/b.csv",
        "d/deep/c.csv",
        "d/deep/c.txt",
    ] {
        scene.write(name, b"1");
    }
    scene.dataset("/in/old.tmp", b"1").await;
    scene.dataset("/in/old.csv", b"1").await;
    let sync = [
        "sync",
        "--json",
        "--delete",
        "--include",
        "*.csv",
        "--exclude",
        "/raw",
        "d",
        "/in",
    ];
    let ended = scene.end(&sync).await.ok();
    let expected = ["+/in/a.csv", "+/in/deep/c.csv", "-/in/old.csv"];
    assert_eq!(changes(&ended), expected, "{ended:#?}");
    let left = scene.end(&["ls", "-r", "/in/"]).await.ok();
    assert_eq!(left.out, "/in/a.csv\n/in/deep/c.csv\n/in/old.tmp\n");
    let wrong = scene.end(&["sync", "--include", "[", "d", "/in"]).await;
    wrong.expect_failure(2, &["[ without a ]"]);
}

#[tokio::test]
async fn sync_rejects_ambiguous_direction() {
    let scene = Scene::new().await;
    scene.write("d/a", b"1");
    let here = scene.folder().join("d");
    let here = here.to_str().expect("UTF-8");
    scene
        .end(&["sync", "d", here])
        .await
        .expect_failure(2, &["broker:PATH"]);
    scene
        .end(&["sync", "e", "/in"])
        .await
        .expect_failure(2, &["e is not a local folder"]);
    scene
        .end(&["sync", "broker:/a", "broker:/b"])
        .await
        .expect_failure(2, &["local folder"]);
    scene
        .end(&["sync", "d", &format!("broker:{here}")])
        .await
        .ok();
    assert_eq!(scene.stored(&format!("{here}/a")).await, b"1");
}
